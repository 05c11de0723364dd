/** Receipts of deletions and legal hold on the wire. Times are UTC, ISO 8601. */
import { z } from "zod";
import { DELETED_PARTS, DELETION_REASONS, type DeletionReceipt } from "../../core/call.js";
import { pageQuerySchema } from "./recording-schema.js";

export const deletionReceiptSchema = z.object({
  receipt_id: z.string(),
  call_id: z.string(),
  part: z.enum(DELETED_PARTS).describe("call: everything; texts: what was said and found in it; audio: its recordings"),
  reason: z.enum(DELETION_REASONS),
  actor_id: z.string().describe("key id or token subject; retention: a policy did it"),
  deleted_at: z.string(),
  recordings: z.int(),
  tasks: z.int(),
  key_destroyed: z.boolean().describe("whether the call's key went: with the call, or with the last of what it sealed"),
  completed_at: z.string().nullable().describe("when its audio files were gone as well; null: they still have to go"),
});

export const storedReceiptSchema = deletionReceiptSchema.extend({
  is_genuine: z.boolean().describe("false: the stored receipt was changed by something else than the service"),
});

export const receiptPageSchema = z.object({ items: z.array(storedReceiptSchema), next_cursor: z.string().nullable() });
export const receiptListQuerySchema = pageQuerySchema.extend({ call_id: z.string().max(128).optional() });
export const receiptParametersSchema = z.object({ receipt_id: z.string().max(36) });
export const legalHoldSchema = z.object({ legal_hold: z.boolean() });

/** Writes a receipt as the wire has it. */
export function toWireReceipt(receipt: DeletionReceipt): z.infer<typeof deletionReceiptSchema> {
  const { receiptId, callId, part, reason, actorId, deletedAtMs, recordings, tasks, keyDestroyed, completedAtMs } = receipt;
  return {
    ...{ receipt_id: receiptId, call_id: callId, part, reason, actor_id: actorId, deleted_at: new Date(deletedAtMs).toISOString() },
    ...{ recordings, tasks, key_destroyed: keyDestroyed },
    completed_at: completedAtMs === null ? null : new Date(completedAtMs).toISOString(),
  };
}

/** The same with what its signature says. */
export function toWireStoredReceipt(receipt: DeletionReceipt & { readonly isGenuine: boolean }): z.infer<typeof storedReceiptSchema> {
  return { ...toWireReceipt(receipt), is_genuine: receipt.isGenuine };
}
