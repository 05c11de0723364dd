/**
 * The analysis of a call: everything that was heard and read in it, stage by stage, with what made each part.
 *
 * A stage that failed says so and leaves its part out; the stages that do not need it are there all the same.
 */
import type { WorkStatus } from "./call.js";
import type { CallSummary } from "./call-summary.js";
import type { CaseAnswer } from "./case/case-answer.js";
import type { CaseClassification } from "./case-classification.js";
import type { Entity } from "./entity.js";
import type { ErrorCode } from "./errors.js";
import type { ModelRevision } from "./model-task.js";
import type { QualityScore } from "./quality-score.js";
import type { RiskFinding } from "./risk.js";
import type { Channel, Transcript } from "./transcript.js";

export const ANALYSIS_STAGES = [
  "decode",
  "voice_activity",
  "transcript",
  "translation",
  "entities",
  "classification",
  "risk",
  "summary",
  "answers",
  "quality",
] as const;
export type AnalysisStage = (typeof ANALYSIS_STAGES)[number];

export const STAGE_STATUSES = ["completed", "failed", "skipped"] as const;
export type StageStatus = (typeof STAGE_STATUSES)[number];

/** Where every received millisecond went; the first four add up to the milliseconds received. */
export interface AudioLedger {
  readonly speechMs: number;
  readonly silenceMs: number;
  readonly pausedMs: number;
  readonly failedMs: number;
  /** Milliseconds in which nothing arrived (live calls); stands apart from the sum. */
  readonly gapMs: number;
}

/** Over the channels of a call. */
export function sumLedgers(ledgers: readonly AudioLedger[]): AudioLedger {
  const sum = (pick: (ledger: AudioLedger) => number): number => ledgers.reduce((total, ledger) => total + pick(ledger), 0);
  return {
    speechMs: sum((ledger) => ledger.speechMs),
    silenceMs: sum((ledger) => ledger.silenceMs),
    pausedMs: sum((ledger) => ledger.pausedMs),
    failedMs: sum((ledger) => ledger.failedMs),
    gapMs: sum((ledger) => ledger.gapMs),
  };
}

export interface ChannelAudio {
  readonly channel: Channel;
  /** Level change applied before analysis, in decibels. */
  readonly gainDb: number;
  readonly ledger: AudioLedger;
}

export interface AnalysedAudio {
  readonly durationMs: number;
  /** Of the original, before resampling. */
  readonly sampleRateHz: number;
  readonly channels: readonly ChannelAudio[];
  readonly ledger: AudioLedger;
}

export interface Translation {
  readonly language: string;
  readonly segments: readonly { readonly segmentId: string; readonly text: string }[];
}

/**
 * Who spoke how much. All values are integer milliseconds or counts, from the channels, not from words. What needs two
 * channels is null, or empty, where there is one.
 */
export interface ConversationMetrics {
  readonly talkMs: Readonly<Partial<Record<Channel, number>>>;
  /** Time in which nobody speaks. */
  readonly silenceMs: number;
  readonly longestSilenceMs: number;
  /** Stretches in which both speak. */
  readonly overlaps: number | null;
  readonly overlapMs: number | null;
  /** Times somebody began while the other went on speaking. */
  readonly interruptions: number | null;
  readonly interruptionsBy: Readonly<Partial<Record<Channel, number>>>;
  /** Median time a speaker takes to answer; null when they never did. */
  readonly responseDelayMs: Readonly<Partial<Record<Channel, number | null>>>;
}

export interface StageReport {
  readonly stage: AnalysisStage;
  readonly status: StageStatus;
  readonly durationMs: number;
  /** `retryable`: doing the job again may help. */
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly retryable: boolean };
}

/** What one stage did: its report and, when it produced something, that as plain JSON data. */
export interface StageOutcome<Output = unknown> {
  readonly report: StageReport;
  readonly output: Output | null;
}

export interface AnalysisResult {
  readonly callId: string;
  readonly taskId: string;
  readonly status: WorkStatus;
  readonly audio: AnalysedAudio | null;
  readonly transcript: Transcript | null;
  readonly translation: Translation | null;
  readonly entities: readonly Entity[] | null;
  readonly classification: CaseClassification | null;
  readonly risk: readonly RiskFinding[] | null;
  readonly summary: CallSummary | null;
  /** To the standing questions of the case form, in its order. */
  readonly answers: readonly CaseAnswer[] | null;
  readonly quality: QualityScore | null;
  readonly conversation: ConversationMetrics | null;
  readonly models: readonly ModelRevision[];
  readonly stages: readonly StageReport[];
  readonly warnings: readonly string[];
}

/** True when some stage failed: the analysis is there, in part. */
export function isPartial(result: AnalysisResult): boolean {
  return result.stages.some((stage) => stage.status === "failed");
}
