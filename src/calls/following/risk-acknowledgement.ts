/** A person takes a risk on: told to everybody who follows the call, and written in the audit log. */
import { createHash } from "node:crypto";
import type { CallEvent } from "../../core/call-event.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { RiskKind } from "../../core/risk.js";
import { type AuditSink, recordAllowed } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import type { AppDatabase } from "../../storage/database.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../../storage/unit-of-work.js";
import type { CallEventLog } from "../call-event-log.js";

export interface RiskAcknowledgement {
  /**
   * Saying it twice is fine: the first one stands.
   *
   * @throws AppError `CALL_NOT_FOUND`, `CALL_RISK_NOT_RAISED`
   */
  acknowledge(authorized: Authorized<"risk:acknowledge">, callId: string, kind: RiskKind): Promise<{ readonly atMs: number; readonly acknowledgedBy: string }>;
}

export interface RiskAcknowledgementDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly eventLog: CallEventLog;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** The use case of taking a risk on. */
export function createRiskAcknowledgement(dependencies: RiskAcknowledgementDependencies): RiskAcknowledgement {
  const { database, calls, eventLog, clock } = dependencies;
  return {
    async acknowledge({ actor }, callId, kind) {
      const call = { callId, sealer: await calls.openSealer(callId) };
      const events = await eventLog.listOfTypes(call, ["risk.raised", "risk.acknowledged"]);
      const raised = events.findLast((event) => event.type === "risk.raised" && event.payload.finding.kind === kind);
      if (raised === undefined) throw new AppError("CALL_RISK_NOT_RAISED", "No risk of this kind was raised on the call.");
      const first = acknowledgementOf(events, kind);
      if (first !== undefined) return first;
      await recordAllowed(dependencies, actor, "risk.acknowledged", callId);
      const acknowledgedBy = personOf(actor.actorId);
      const { taskId } = raised.payload;
      return inUnitOfWork(database, async (unitOfWork) => {
        // Somebody else may have done so while this one was recorded.
        const other = acknowledgementOf(await eventLog.listOfTypes(call, ["risk.acknowledged"], unitOfWork), kind);
        if (other !== undefined) return other;
        await eventLog.append(call, [{ type: "risk.acknowledged", payload: { taskId, kind, acknowledgedBy } }], unitOfWork);
        return { atMs: clock.nowMs(), acknowledgedBy };
      });
    },
  };
}

function acknowledgementOf(events: readonly CallEvent[], kind: RiskKind) {
  for (const event of events) {
    if (event.type === "risk.acknowledged" && event.payload.kind === kind) return { atMs: event.atMs, acknowledgedBy: event.payload.acknowledgedBy };
  }
  return undefined;
}

/** Key ids are ours; the subject of a token may be a person's name or address, and only its hash is told. */
function personOf(actorId: string): string {
  return /^[0-9a-z]{1,20}$/.test(actorId) ? actorId : createHash("sha256").update(actorId).digest("hex").slice(0, 12);
}
