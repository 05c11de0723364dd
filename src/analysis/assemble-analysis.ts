/** Puts the stages' outputs together into one analysis. Pure. */
import type { DecodedRecording } from "../audio/decoder.js";
import { type AnalysedAudio, type AnalysisResult, sumLedgers, type Translation } from "../core/analysis-result.js";
import type { CallSummary } from "../core/call-summary.js";
import type { CaseAnswer } from "../core/case/case-answer.js";
import type { CaseClassification } from "../core/case-classification.js";
import type { Entity } from "../core/entity.js";
import type { ChannelCoverage } from "../core/live-call.js";
import type { ModelRevision } from "../core/model-task.js";
import type { QualityScore } from "../core/quality-score.js";
import type { RiskFinding } from "../core/risk.js";
import { recordingLedger } from "./audio-ledger.js";
import { measureConversation } from "./conversation-metrics.js";
import type { StageRunner } from "./stage-runner.js";
import { type DetectSpeechOutput, SPEECH_BY_LOUDNESS } from "./steps/detect-speech.js";
import type { ReadOutput } from "./steps/read-transcript.js";
import type { TranscribeOutput } from "./steps/transcribe-channels.js";

/** What is kept of decoding: everything but the files. */
export type DecodeOutput = Omit<DecodedRecording, "channels"> & { readonly channels: readonly Omit<DecodedRecording["channels"][number], "path">[] };

export interface AssembledCall {
  readonly callId: string;
  readonly taskId: string;
  /** Of a call that came in live. */
  readonly coverage?: readonly ChannelCoverage[];
}

/** Stages that produced nothing leave null; warnings say what a reader must know of the rest. */
export function assembleAnalysis(call: AssembledCall, runner: StageRunner): AnalysisResult {
  const decoded = runner.output<DecodeOutput>("decode");
  const speech = runner.output<DetectSpeechOutput>("voice_activity");
  const transcribed = runner.output<TranscribeOutput>("transcript");
  const value = <Value>(stage: Parameters<StageRunner["output"]>[0]): Value | null => runner.output<ReadOutput<Value>>(stage)?.value ?? null;
  return {
    callId: call.callId,
    taskId: call.taskId,
    status: "completed",
    audio: decoded === null ? null : analysedAudio(decoded, { speech, transcribed, coverage: call.coverage }),
    transcript: transcribed?.transcript ?? null,
    translation: value<Translation>("translation"),
    entities: value<readonly Entity[]>("entities"),
    classification: value<CaseClassification>("classification"),
    risk: value<readonly RiskFinding[]>("risk"),
    summary: value<CallSummary>("summary"),
    answers: value<readonly CaseAnswer[]>("answers"),
    quality: value<QualityScore>("quality"),
    conversation: decoded === null || speech === null ? null : measureConversation(speech.channels, decoded.durationMs),
    models: runner.outcomes().flatMap(({ output }) => {
      const { model, languageModel } = (output ?? {}) as { readonly model?: ModelRevision; readonly languageModel?: ModelRevision };
      return [model ?? [], languageModel ?? []].flat();
    }),
    stages: runner.outcomes().map(({ report }) => report),
    warnings: [...(decoded?.warnings ?? []), ...qualityWarnings(speech, transcribed)],
  };
}

interface HeardAudio {
  readonly speech: DetectSpeechOutput | null;
  readonly transcribed: TranscribeOutput | null;
  readonly coverage: readonly ChannelCoverage[] | undefined;
}

function analysedAudio(decoded: DecodeOutput, { speech, transcribed, coverage }: HeardAudio): AnalysedAudio {
  const channels = decoded.channels.map(({ channel, gainDb }) => {
    const utterances = speech?.channels.find((candidate) => candidate.channel === channel)?.utterances ?? [];
    const starts = new Set(transcribed?.transcribedStartsMs[channel] ?? []);
    const isTranscribed = (index: number): boolean => starts.has(utterances[index]?.startMs ?? -1);
    const received = coverage?.find((candidate) => candidate.channel === channel);
    return { channel, gainDb, ledger: recordingLedger({ ...(received ?? { receivedMs: decoded.durationMs }), utterances, isTranscribed }) };
  });
  return {
    durationMs: decoded.durationMs,
    sampleRateHz: decoded.sourceSampleRateHz,
    channels,
    ledger: sumLedgers(channels.map(({ ledger }) => ledger)),
  };
}

function qualityWarnings(speech: DetectSpeechOutput | null, transcribed: TranscribeOutput | null): readonly string[] {
  const warnings: string[] = [];
  if (speech?.isDegraded === true) warnings.push(SPEECH_BY_LOUDNESS);
  if (transcribed?.transcript.lowQuality === true) {
    warnings.push("low_quality: the transcript is by an engine known to make many errors; read it as a hint and never as a record.");
  }
  return warnings;
}
