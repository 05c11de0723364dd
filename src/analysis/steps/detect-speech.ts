/** Voice activity over the channels of a recording, cut into utterances by the one segmenter. */
import type { DecodedRecording } from "../../audio/decoder.js";
import { DEFAULT_SEGMENTER_OPTIONS, segmentSpeech } from "../../audio/segmenter.js";
import type { ModelRevision } from "../../core/model-task.js";
import type { InferenceRunner } from "../../inference/pool/inference-pool.js";
import type { ChannelSpeech } from "../conversation-metrics.js";
import type { StageWork } from "../stage-runner.js";
import { pcmSource } from "./transcribe-channels.js";

/** A warning of an analysis. */
export const SPEECH_BY_LOUDNESS = "Speech was found by loudness only: the voice activity model is not installed, so noise may count as speech.";

export interface DetectSpeechOutput {
  readonly channels: readonly ChannelSpeech[];
  /** An energy detector stood in for the model. */
  readonly isDegraded: boolean;
  readonly model: ModelRevision;
}

const DEADLINE_MS = 600_000;

/** Times are milliseconds of the recording; no output when it has no channel. */
export async function detectSpeech(inference: InferenceRunner, recording: DecodedRecording, signal: AbortSignal): Promise<StageWork<DetectSpeechOutput>> {
  const answers = await Promise.all(
    recording.channels.map(async ({ channel }) => ({
      channel,
      ...(await inference.run("voice_activity", { audio: pcmSource(recording, channel) }, { signal, deadlineMs: DEADLINE_MS })),
    })),
  );
  const [first] = answers;
  if (first === undefined) return { output: null };
  const channels = answers.map(({ channel, output }) => ({
    channel,
    utterances: segmentSpeech(output.speechScores, { ...DEFAULT_SEGMENTER_OPTIONS, frameMs: output.frameMs }).map(({ startMs, endMs }) => ({
      startMs,
      endMs: Math.min(endMs, recording.durationMs),
    })),
  }));
  return {
    output: {
      channels,
      isDegraded: answers.some(({ output }) => output.degraded),
      model: { task: "voice_activity", engine: first.engine, id: first.engine, revision: first.revision },
    },
  };
}
