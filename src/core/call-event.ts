/**
 * What happens on a call, told to whoever watches it: numbered per call from 1 with no gap, stored, and never changed.
 * The first four words of a type say what it is about; docs/events.md lists every payload.
 */
import type { AnalysisStage, StageReport, Translation } from "./analysis-result.js";
import type { CallSource, ProcessingMode, WorkStatus } from "./call.js";
import type { CallSummary } from "./call-summary.js";
import type { CaseAnswer } from "./case/case-answer.js";
import type { CaseClassification } from "./case-classification.js";
import type { Entity } from "./entity.js";
import type { ErrorCode } from "./errors.js";
import type { LanguageTag } from "./language.js";
import type { CallEndReason, CallSessionState } from "./live-call.js";
import type { LiveAudio } from "./live-ledger.js";
import type { QualityScore } from "./quality-score.js";
import type { RiskFinding, RiskKind } from "./risk.js";
import type { Channel, TranscriptSegment } from "./transcript.js";

/** Heard while the call ran, or on its whole recording afterwards. */
export const TRANSCRIPT_PASSES = ["live", "recording"] as const;
export type TranscriptPass = (typeof TRANSCRIPT_PASSES)[number];

/** Payloads by type. `taskId` names the task whose work it is. */
export interface CallEventPayloads {
  "call.started": { readonly taskId: string; readonly source: CallSource; readonly mode?: ProcessingMode };
  /** Speech in progress, or taken back when the text is empty; the next interim or final of the segment replaces it. */
  "segment.interim": {
    readonly taskId: string;
    readonly segmentId: string;
    readonly channel: Channel;
    readonly startMs: number;
    readonly endMs: number;
    readonly text: string;
    readonly language: LanguageTag;
    /** Code units at the start of the text that are not expected to change. */
    readonly stableLength: number;
  };
  /** A later one with the same segment id replaces it; the first of the recording replaces all live ones. */
  "segment.final": { readonly taskId: string; readonly pass: TranscriptPass; readonly segment: TranscriptSegment };
  "translation.added": { readonly taskId: string; readonly translation: Translation };
  "entities.updated": { readonly taskId: string; readonly entities: readonly Entity[] };
  "classification.updated": { readonly taskId: string; readonly classification: CaseClassification };
  /** `isInterim`: raised on speech in progress. */
  "risk.raised": { readonly taskId: string; readonly finding: RiskFinding; readonly isInterim: boolean };
  "risk.acknowledged": { readonly taskId: string; readonly kind: RiskKind; readonly acknowledgedBy: string };
  "summary.updated": { readonly taskId: string; readonly summary: CallSummary };
  "answers.updated": { readonly taskId: string; readonly answers: readonly CaseAnswer[] };
  "quality.updated": { readonly taskId: string; readonly quality: QualityScore };
  "dtmf.received": { readonly taskId: string; readonly channel: Channel; readonly digit: string; readonly atMs: number };
  "call.paused": { readonly taskId: string; readonly atMs: number };
  "call.resumed": { readonly taskId: string; readonly atMs: number };
  /** Numbers of a call that runs, now and then and at its end. */
  "call.measured": {
    readonly taskId: string;
    readonly state: CallSessionState;
    readonly durationMs: number;
    /** How long the oldest finished speech waits for its text. */
    readonly lagMs: number;
    readonly audio: LiveAudio;
    readonly warnings: readonly string[];
  };
  /** Nothing more is heard; the analysis of the whole call follows. */
  "call.ended": { readonly taskId: string; readonly reason: CallEndReason; readonly durationMs: number; readonly audio: LiveAudio };
  /** A stage ended. `progress` is of the whole task, 0..100, and never falls. */
  "analysis.progressed": {
    readonly taskId: string;
    readonly stage: AnalysisStage;
    readonly status: StageReport["status"];
    readonly progress: number;
    readonly durationMs: number;
    readonly errorCode?: ErrorCode;
  };
  "analysis.completed": { readonly taskId: string; readonly isPartial: boolean };
  "call.failed": { readonly taskId: string; readonly status: Extract<WorkStatus, "failed" | "cancelled">; readonly errorCode: ErrorCode };
}

export const CALL_EVENT_TYPES = [
  "call.started",
  "segment.interim",
  "segment.final",
  "translation.added",
  "entities.updated",
  "classification.updated",
  "risk.raised",
  "risk.acknowledged",
  "summary.updated",
  "answers.updated",
  "quality.updated",
  "dtmf.received",
  "call.paused",
  "call.resumed",
  "call.measured",
  "call.ended",
  "analysis.progressed",
  "analysis.completed",
  "call.failed",
] as const satisfies readonly (keyof CallEventPayloads)[];
export type CallEventType = (typeof CALL_EVENT_TYPES)[number];

/** An event before it has its number. */
export type NewCallEvent = { [Type in CallEventType]: { readonly type: Type; readonly payload: CallEventPayloads[Type] } }[CallEventType];

export type CallEvent = NewCallEvent & {
  /** 1, 2, 3, ... per call. */
  readonly seq: number;
  readonly callId: string;
  readonly atMs: number;
};

/** True for the event after which the task makes no more, unless it is tried again by hand. */
export function endsTask({ type, payload }: NewCallEvent, taskId: string): boolean {
  return (type === "analysis.completed" || type === "call.failed") && payload.taskId === taskId;
}
