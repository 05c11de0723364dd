/** What was heard while a call ran, as the stages of an analysis that listened to its recording. Pure. */
import type { DecodeOutput } from "../../analysis/assemble-analysis.js";
import type { DetectSpeechOutput } from "../../analysis/steps/detect-speech.js";
import { mainLanguage, type TranscribeOutput } from "../../analysis/steps/transcribe-channels.js";
import type { AnalysisStage, StageOutcome } from "../../core/analysis-result.js";
import type { Channel, TranscriptSegment } from "../../core/transcript.js";
import type { JournalSummary } from "./journal-recording.js";

/** What was heard while the call ran. Times are call time. */
export interface LiveTranscript {
  readonly segments: readonly TranscriptSegment[];
  readonly speech: ReadonlyMap<Channel, readonly { readonly startMs: number; readonly endMs: number; readonly isTranscribed: boolean }[]>;
  readonly hasLowQuality: boolean;
  /** Speech was found by loudness only. */
  readonly isSpeechByLoudness: boolean;
}

/** The engine's name in `models`: which model heard each segment is told while the call runs. */
const LIVE_MODEL = { engine: "live", id: "live", revision: "live" };

export function liveStages(live: LiveTranscript, { sampleRateHz, durationMs, coverage }: JournalSummary): readonly StageOutcome[] {
  const decode: DecodeOutput = {
    durationMs,
    sourceSampleRateHz: sampleRateHz,
    channels: coverage.map(({ channel }) => ({ channel, sampleCount: Math.round((durationMs * sampleRateHz) / 1000), gainDb: 0 })),
    warnings: [],
  };
  const voiceActivity: DetectSpeechOutput = {
    channels: coverage.map(({ channel }) => ({ channel, utterances: (live.speech.get(channel) ?? []).map(({ startMs, endMs }) => ({ startMs, endMs })) })),
    isDegraded: live.isSpeechByLoudness,
    model: { task: "voice_activity", ...LIVE_MODEL },
  };
  const segments = [...live.segments].sort((a, b) => a.startMs - b.startMs || a.channel.localeCompare(b.channel));
  const transcript: TranscribeOutput = {
    transcript: { language: mainLanguage(segments), segments, lowQuality: live.hasLowQuality },
    transcribedStartsMs: Object.fromEntries(
      coverage.map(({ channel }) => [channel, (live.speech.get(channel) ?? []).filter(({ isTranscribed }) => isTranscribed).map(({ startMs }) => startMs)]),
    ),
    model: { task: "speech", ...LIVE_MODEL },
  };
  const done = (stage: AnalysisStage, output: unknown): StageOutcome => ({ report: { stage, status: "completed", durationMs: 0 }, output });
  return [done("decode", decode), done("voice_activity", voiceActivity), done("transcript", transcript)];
}
