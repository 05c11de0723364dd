/** Whoever reads what is known of a call: what they see of its words, and that it is on record that they did. */
import type { Clock } from "../core/clock.js";
import { type AuditSink, recordAllowed } from "./audit-record.js";
import type { Actor } from "./authorization.js";
import { isGranted } from "./permissions.js";

/** What is shown of a call to one who reads it. */
export interface CallReading {
  /** False: text is withheld. */
  readonly maySeeText: boolean;
}

/** Audits the look before anything is shown. @throws AppError `AUDIT_SINK_UNAVAILABLE`: show nothing */
export async function recordCallReading(parts: { readonly audit: AuditSink; readonly clock: Clock }, actor: Actor, callId: string): Promise<CallReading> {
  const maySeeText = isGranted(actor.role, "transcript:read");
  await recordAllowed(parts, actor, maySeeText ? "transcript.read" : "task.read", callId);
  return { maySeeText };
}
