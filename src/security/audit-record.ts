/**
 * The audit log's record and its chain: each record's HMAC covers the one before, under a key derived from the master
 * key, so that a record changed, removed or inserted in the database is found by `audit verify`.
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { Actor } from "./authorization.js";

export const AUDIT_ACTIONS = [
  "recording.created",
  "recording.read",
  "task.read",
  "task.cancelled",
  "transcript.read",
  "calls.searched",
  "call.exported",
  "call.exported_clear",
  "call.deleted",
  "texts.deleted",
  "audio.deleted",
  "call.held",
  "call.released",
  "call.paused",
  "call.resumed",
  "call.ended",
  "risk.acknowledged",
  "feedback.given",
  "feedback.read",
  "feedback.exported",
  "feedback.exported_clear",
  "key.created",
  "key.revoked",
  "webhook.created",
  "webhook.removed",
  "webhook.retried",
  "job.retried",
  "job.discarded",
  "access.denied",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What is recorded. `target` is an id of ours or a route template; nothing here holds call data. */
export interface AuditEntry {
  readonly atMs: number;
  readonly actorId: string;
  readonly role: string;
  readonly action: AuditAction;
  readonly target: string;
  readonly outcome: "allowed" | "denied";
}

export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3, ... with no gap. */
  readonly seq: number;
  readonly previousMac: string;
  readonly mac: string;
}

/** Where audit entries go; storage implements it. A rejected append means: refuse the action. */
export interface AuditSink {
  /** Resolves once the entry is durable. @throws AppError `AUDIT_SINK_UNAVAILABLE` */
  append(entry: AuditEntry): Promise<void>;
}

/** Records that `actor` did, or is about to do, what it may. @throws AppError `AUDIT_SINK_UNAVAILABLE`: refuse the action */
export function recordAllowed(
  { audit, clock }: { readonly audit: AuditSink; readonly clock: Clock },
  { actorId, role }: Actor,
  action: AuditAction,
  target: string,
): Promise<void> {
  return audit.append({ atMs: clock.nowMs(), actorId, role, action, target, outcome: "allowed" });
}

export const FIRST_PREVIOUS_MAC = "0".repeat(64);

/** HMAC-SHA-256 in hex over every field of the record and the MAC before it. */
export function auditMac(key: Buffer, record: Omit<AuditRecord, "mac">): string {
  const fields = [record.seq, record.atMs, record.actorId, record.role, record.action, record.target, record.outcome, record.previousMac];
  return createHmac("sha256", key).update(JSON.stringify(fields)).digest("hex");
}

/** MAC of the chain's length and head, kept apart so that a log cut at its end is found too. */
export function auditHeadMac(key: Buffer, head: { readonly seq: number; readonly mac: string }): string {
  return createHmac("sha256", key)
    .update(JSON.stringify(["head", head.seq, head.mac]))
    .digest("hex");
}
