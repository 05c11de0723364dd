/** What an analysis stage's outcome tells whoever follows the call. Pure. */
import type { ReadOutput } from "../analysis/steps/read-transcript.js";
import type { TranscribeOutput } from "../analysis/steps/transcribe-channels.js";
import type { StageOutcome, Translation } from "../core/analysis-result.js";
import type { NewCallEvent } from "../core/call-event.js";
import type { CallSummary } from "../core/call-summary.js";
import type { CaseAnswer } from "../core/case/case-answer.js";
import { type CaseClassification, isMoreUrgent, type Priority } from "../core/case-classification.js";
import type { Entity } from "../core/entity.js";
import type { QualityScore } from "../core/quality-score.js";
import type { RiskFinding, RiskKind } from "../core/risk.js";

/** Kinds that were raised before, each with its highest level. */
export type RaisedRisks = ReadonlyMap<RiskKind, Priority>;

/** What the stage produced, then that it ended. A risk that was raised while the call ran is raised again only when it is worse. */
export function stageEvents(
  taskId: string,
  outcome: StageOutcome,
  { progress, raised }: { readonly progress: number; readonly raised: RaisedRisks },
): readonly NewCallEvent[] {
  const { stage, status, durationMs, error } = outcome.report;
  return [
    ...resultEvents(taskId, outcome, raised),
    { type: "analysis.progressed", payload: { taskId, stage, status, progress, durationMs, ...(error === undefined ? {} : { errorCode: error.code }) } },
  ];
}

function resultEvents(taskId: string, { report, output }: StageOutcome, raised: RaisedRisks): readonly NewCallEvent[] {
  if (output === null) return [];
  const value = <Value>(): Value => (output as ReadOutput<Value>).value;
  switch (report.stage) {
    case "transcript":
      return (output as TranscribeOutput).transcript.segments.map((segment) => ({ type: "segment.final", payload: { taskId, pass: "recording", segment } }));
    case "translation":
      return [{ type: "translation.added", payload: { taskId, translation: value<Translation>() } }];
    case "entities":
      return [{ type: "entities.updated", payload: { taskId, entities: value<readonly Entity[]>() } }];
    case "classification":
      return [{ type: "classification.updated", payload: { taskId, classification: value<CaseClassification>() } }];
    case "risk":
      return value<readonly RiskFinding[]>()
        .filter(({ kind, level }) => isMoreUrgent(level, raised.get(kind)))
        .map((finding) => ({ type: "risk.raised", payload: { taskId, finding, isInterim: false } }));
    case "summary":
      return [{ type: "summary.updated", payload: { taskId, summary: value<CallSummary>() } }];
    case "answers":
      return [{ type: "answers.updated", payload: { taskId, answers: value<readonly CaseAnswer[]>() } }];
    case "quality":
      return [{ type: "quality.updated", payload: { taskId, quality: value<QualityScore>() } }];
    default:
      return [];
  }
}
