/** How entities and classification of a call came to be what they are, from its events: for a call that runs or ran. */

import type { CallEvent, CallEventType } from "../../core/call-event.js";
import type { CallSummary } from "../../core/call-summary.js";
import type { CaseClassification } from "../../core/case-classification.js";
import type { Clock } from "../../core/clock.js";
import type { Entity } from "../../core/entity.js";
import type { RiskFinding } from "../../core/risk.js";
import type { AuditSink } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import { recordCallReading } from "../../security/call-reading.js";
import { coverEvent } from "../../security/masking/cover-text.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { CallEventLog } from "../call-event-log.js";
import type { TextMasking } from "../text-masking.js";
import { analysisSoFar } from "./analysis-so-far.js";

/** What was told last of each kind. */
export interface ProgressiveAnalysis {
  readonly entities: readonly Entity[] | null;
  readonly classification: CaseClassification | null;
  readonly risk: readonly RiskFinding[];
  readonly summary: CallSummary | null;
  /** Times the call was read as a whole. */
  readonly readings: number;
}

export interface EvolutionStep<Value> {
  readonly seq: number;
  readonly atMs: number;
  readonly value: Value;
}

/** Audited; text is masked for roles without `transcript:read`. @throws AppError `CALL_NOT_FOUND` */
export interface ProgressiveHistory {
  current(authorized: Authorized<"call:read">, callId: string): Promise<ProgressiveAnalysis>;
  entities(authorized: Authorized<"call:read">, callId: string): Promise<readonly EvolutionStep<readonly Entity[]>[]>;
  classifications(authorized: Authorized<"call:read">, callId: string): Promise<readonly EvolutionStep<CaseClassification>[]>;
}

export interface ProgressiveHistoryDependencies {
  readonly calls: CallRepository;
  readonly eventLog: CallEventLog;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** The use cases of looking at how a call was understood. */
export function createProgressiveHistory(dependencies: ProgressiveHistoryDependencies): ProgressiveHistory {
  const read = async ({ actor }: Authorized<"call:read">, callId: string, types: readonly CallEventType[]): Promise<readonly CallEvent[]> => {
    const sealer = await dependencies.calls.openSealer(callId);
    const { maySeeText } = await recordCallReading(dependencies, actor, callId);
    const events = await dependencies.eventLog.listOfTypes({ callId, sealer }, types);
    if (maySeeText) return events;
    const cover = await dependencies.masking.coverOf({ callId, sealer });
    return events.map((event) => coverEvent(event, cover));
  };
  return {
    async current(authorized, callId) {
      const events = await read(authorized, callId, ["entities.updated", "classification.updated", "risk.raised", "summary.updated"]);
      return summarize(events);
    },
    async entities(authorized, callId) {
      const events = await read(authorized, callId, ["entities.updated"]);
      return events.flatMap(({ seq, atMs, ...event }) => (event.type === "entities.updated" ? [{ seq, atMs, value: event.payload.entities }] : []));
    },
    async classifications(authorized, callId) {
      const events = await read(authorized, callId, ["classification.updated"]);
      return events.flatMap(({ seq, atMs, ...event }) => (event.type === "classification.updated" ? [{ seq, atMs, value: event.payload.classification }] : []));
    },
  };
}

function summarize(events: readonly CallEvent[]): ProgressiveAnalysis {
  const { entities, classification, risk, summary } = analysisSoFar(events);
  const readings = events.filter(({ type }) => type === "classification.updated").length;
  return { entities, classification, summary, risk: risk ?? [], readings };
}
