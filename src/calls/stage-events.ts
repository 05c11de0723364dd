/** What an analysis stage's outcome tells whoever follows the call. Pure. */
import type { ReadOutput } from "../analysis/steps/read-transcript.js";
import type { TranscribeOutput } from "../analysis/steps/transcribe-channels.js";
import type { StageOutcome, Translation } from "../core/analysis-result.js";
import type { NewCallEvent } from "../core/call-event.js";
import type { CallSummary } from "../core/call-summary.js";
import type { CaseClassification } from "../core/case-classification.js";
import type { Entity } from "../core/entity.js";
import type { QualityScore } from "../core/quality-score.js";
import type { RiskFinding } from "../core/risk.js";

/** What the stage produced, then that it ended. */
export function stageEvents(taskId: string, outcome: StageOutcome, progress: number): readonly NewCallEvent[] {
  const { stage, status, durationMs, error } = outcome.report;
  return [
    ...resultEvents(taskId, outcome),
    { type: "analysis.progressed", payload: { taskId, stage, status, progress, durationMs, ...(error === undefined ? {} : { errorCode: error.code }) } },
  ];
}

function resultEvents(taskId: string, { report, output }: StageOutcome): readonly NewCallEvent[] {
  if (output === null) return [];
  const value = <Value>(): Value => (output as ReadOutput<Value>).value;
  switch (report.stage) {
    case "transcript":
      return (output as TranscribeOutput).transcript.segments.map((segment) => ({ type: "segment.final", payload: { taskId, segment } }));
    case "translation":
      return [{ type: "translation.added", payload: { taskId, translation: value<Translation>() } }];
    case "entities":
      return [{ type: "entities.updated", payload: { taskId, entities: value<readonly Entity[]>() } }];
    case "classification":
      return [{ type: "classification.updated", payload: { taskId, classification: value<CaseClassification>() } }];
    case "risk":
      return value<readonly RiskFinding[]>().map((finding) => ({ type: "risk.raised", payload: { taskId, finding } }));
    case "summary":
      return [{ type: "summary.updated", payload: { taskId, summary: value<CallSummary>() } }];
    case "quality":
      return [{ type: "quality.updated", payload: { taskId, quality: value<QualityScore>() } }];
    default:
      return [];
  }
}
