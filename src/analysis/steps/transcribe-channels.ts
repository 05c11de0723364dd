/** Speech to text over the channels of a recording, and the transcript put together in time order. */

import type { DecodedRecording } from "../../audio/decoder.js";
import { ANALYSIS_SAMPLE_RATE_HZ } from "../../audio/decoder.js";
import { AppError } from "../../core/errors.js";
import type { ModelRevision } from "../../core/model-task.js";
import type { Channel, Transcript, TranscriptSegment } from "../../core/transcript.js";
import type { InferenceRunner } from "../../inference/pool/inference-pool.js";
import type { PcmFile, SpeechOutput } from "../../inference/speech-recognizer.js";
import type { ChannelSpeech } from "../conversation-metrics.js";
import type { StageWork } from "../stage-runner.js";
import { identifyLanguages } from "./identify-languages.js";

/** `transcribed[channel]` lists the start times of utterances that became words. */
export interface TranscribeOutput {
  readonly transcript: Transcript;
  readonly transcribedStartsMs: Readonly<Partial<Record<Channel, readonly number[]>>>;
  readonly model: ModelRevision;
  /** What told the language of segments that came without one. */
  readonly languageModel?: ModelRevision;
}

export interface TranscribeRequest {
  readonly recording: DecodedRecording;
  readonly speech: readonly ChannelSpeech[];
  readonly language: string;
  readonly allowedLanguages: readonly string[];
  readonly engine: string;
  readonly signal: AbortSignal;
}

/** At least this long, and this many times the audio: a deadline for a hung engine, not a promise of speed. */
const MIN_DEADLINE_MS = 120_000;
const DEADLINE_PER_AUDIO = 5;

export function pcmSource(recording: DecodedRecording, channel: Channel): PcmFile {
  const decoded = recording.channels.find((candidate) => candidate.channel === channel);
  if (decoded === undefined) throw new RangeError("no such channel in the recording");
  return {
    path: decoded.path,
    sampleRateHz: ANALYSIS_SAMPLE_RATE_HZ,
    sampleCount: decoded.sampleCount,
    sourceSampleRateHz: recording.sourceSampleRateHz,
  };
}

/** Channels run side by side; when one fails the others' words stay and the failure is told. */
export async function transcribeChannels(inference: InferenceRunner, request: TranscribeRequest): Promise<StageWork<TranscribeOutput>> {
  const deadlineMs = Math.max(MIN_DEADLINE_MS, request.recording.durationMs * DEADLINE_PER_AUDIO);
  const settled = await Promise.allSettled(
    request.speech.map(async ({ channel, utterances }) => {
      const { language, allowedLanguages, engine, signal } = request;
      const input = { audio: pcmSource(request.recording, channel), utterances, language, allowedLanguages };
      return { channel, ...(await inference.run("speech", input, { engine, signal, deadlineMs })) };
    }),
  );
  request.signal.throwIfAborted();
  const answers = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const [first] = answers;
  const failure = settled.find((result) => result.status === "rejected")?.reason as unknown;
  if (first === undefined) throw failure ?? new AppError("AUDIO_EMPTY", "The recording has no channel to transcribe.");
  const transcript = assemble(answers);
  const { allowedLanguages, signal } = request;
  const { segments, model: languageModel } = await identifyLanguages(inference, transcript.segments, { allowedLanguages, signal });
  const output: TranscribeOutput = {
    transcript: { ...transcript, language: mainLanguage(segments), segments },
    ...(languageModel === null ? {} : { languageModel }),
    transcribedStartsMs: Object.fromEntries(answers.map(({ channel, output: heard }) => [channel, heard.utterances.map(({ startMs }) => startMs)])),
    model: { task: "speech", engine: first.engine, id: first.engine, revision: first.revision },
  };
  return failure === undefined ? { output } : { output, failure };
}

function assemble(answers: readonly { readonly channel: Channel; readonly output: SpeechOutput }[]): Transcript {
  const segments = answers
    .flatMap(({ channel, output }) => output.utterances.map((utterance) => ({ channel, ...utterance })))
    .sort((a, b) => a.startMs - b.startMs || a.channel.localeCompare(b.channel))
    .map((utterance, index): TranscriptSegment => ({ id: `s${index + 1}`, ...utterance }));
  return { language: mainLanguage(segments), segments, lowQuality: answers.some(({ output }) => output.lowQuality) };
}

/** The language spoken longest. */
export function mainLanguage(segments: readonly TranscriptSegment[]): string {
  const spokenMs = new Map<string, number>();
  for (const { language, startMs, endMs } of segments) spokenMs.set(language, (spokenMs.get(language) ?? 0) + endMs - startMs);
  return [...spokenMs].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "und";
}
