/**
 * What happens on a call, told to whoever watches it: numbered per call from 1 with no gap, stored, and never changed.
 * The first four words of a type say what it is about; docs/events.md lists every payload.
 */
import type { AnalysisStage, StageReport, Translation } from "./analysis-result.js";
import type { CallSource, WorkStatus } from "./call.js";
import type { CallSummary } from "./call-summary.js";
import type { CaseClassification } from "./case-classification.js";
import type { Entity } from "./entity.js";
import type { ErrorCode } from "./errors.js";
import type { QualityScore } from "./quality-score.js";
import type { RiskFinding } from "./risk.js";
import type { TranscriptSegment } from "./transcript.js";

/** Payloads by type. `taskId` names the task whose work it is. */
export interface CallEventPayloads {
  "call.started": { readonly taskId: string; readonly source: CallSource };
  /** A later one with the same segment id replaces it. */
  "segment.final": { readonly taskId: string; readonly segment: TranscriptSegment };
  "translation.added": { readonly taskId: string; readonly translation: Translation };
  "entities.updated": { readonly taskId: string; readonly entities: readonly Entity[] };
  "classification.updated": { readonly taskId: string; readonly classification: CaseClassification };
  "risk.raised": { readonly taskId: string; readonly finding: RiskFinding };
  "summary.updated": { readonly taskId: string; readonly summary: CallSummary };
  "quality.updated": { readonly taskId: string; readonly quality: QualityScore };
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
  "segment.final",
  "translation.added",
  "entities.updated",
  "classification.updated",
  "risk.raised",
  "summary.updated",
  "quality.updated",
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
