/** Receipts of deletions: inserted with the deletion, completed once, never removed. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { DeletedPart, DeletionReason, DeletionReceipt } from "../../core/call.js";
import type { AppDatabase } from "../database.js";
import type { DeletionReceiptTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

/** `isGenuine` is false when the stored receipt was changed by something else than this program. */
export type StoredReceipt = DeletionReceipt & { readonly isGenuine: boolean };

/** Audio that a deletion still has to remove. */
export interface OpenDeletion {
  readonly receiptId: string;
  readonly audioKeys: readonly string[];
}

export interface ReceiptPage {
  readonly callId?: string;
  /** Where the page before ended. */
  readonly afterId?: string;
  readonly limit: number;
}

export interface DeletionReceiptRepository {
  insertReceipt(receipt: DeletionReceipt, audioKeys: readonly string[], unitOfWork: UnitOfWork): Promise<void>;
  completeReceipt(receiptId: string, atMs: number): Promise<void>;
  /** Oldest first. */
  listOpen(limit: number): Promise<readonly OpenDeletion[]>;
  findReceipt(receiptId: string): Promise<StoredReceipt | undefined>;
  /** Newest first. */
  listReceipts(page: ReceiptPage): Promise<readonly StoredReceipt[]>;
}

/** `key` is derived from the master key for this purpose alone. */
export function createDeletionReceiptRepository({ database, key }: { readonly database: AppDatabase; readonly key: Buffer }): DeletionReceiptRepository {
  const { sql } = database;
  return {
    async insertReceipt(receipt, audioKeys, unitOfWork) {
      const row = toRow(receipt, audioKeys);
      await executorOf(database, unitOfWork)
        .insertInto("deletion_receipt")
        .values({ ...row, mac: receiptMac(key, row) })
        .execute();
    },
    async completeReceipt(receiptId, atMs) {
      await sql.updateTable("deletion_receipt").set({ completed_at_ms: atMs, audio_keys: "[]" }).where("receipt_id", "=", receiptId).execute();
    },
    async listOpen(limit) {
      const open = sql.selectFrom("deletion_receipt").select(["receipt_id", "audio_keys"]).where("completed_at_ms", "is", null);
      const rows = await open.orderBy("receipt_id").limit(limit).execute();
      return rows.map((row) => ({ receiptId: row.receipt_id, audioKeys: JSON.parse(row.audio_keys) as string[] }));
    },
    async findReceipt(receiptId) {
      const row = await sql.selectFrom("deletion_receipt").selectAll().where("receipt_id", "=", receiptId).executeTakeFirst();
      return row === undefined ? undefined : toReceipt(key, row);
    },
    async listReceipts({ callId, afterId, limit }) {
      let query = sql.selectFrom("deletion_receipt").selectAll();
      if (callId !== undefined) query = query.where("call_id", "=", callId);
      if (afterId !== undefined) query = query.where("receipt_id", "<", afterId);
      return (await query.orderBy("receipt_id", "desc").limit(limit).execute()).map((row) => toReceipt(key, row));
    },
  };
}

/** HMAC-SHA-256 in hex over what the receipt says; when its audio was gone is told later. */
function receiptMac(key: Buffer, row: Omit<DeletionReceiptTable, "mac" | "completed_at_ms">): string {
  const fields = [row.receipt_id, row.call_id, row.part, row.reason, row.actor_id, row.deleted_at_ms, row.recordings, row.tasks, row.key_destroyed];
  return createHmac("sha256", key).update(JSON.stringify(fields)).digest("hex");
}

function toRow(receipt: DeletionReceipt, audioKeys: readonly string[]): Omit<DeletionReceiptTable, "mac"> {
  return {
    receipt_id: receipt.receiptId,
    call_id: receipt.callId,
    part: receipt.part,
    reason: receipt.reason,
    actor_id: receipt.actorId,
    deleted_at_ms: receipt.deletedAtMs,
    recordings: receipt.recordings,
    tasks: receipt.tasks,
    key_destroyed: receipt.keyDestroyed ? 1 : 0,
    audio_keys: JSON.stringify(audioKeys),
    completed_at_ms: receipt.completedAtMs,
  };
}

function toReceipt(key: Buffer, row: DeletionReceiptTable): StoredReceipt {
  const [stored, expected] = [Buffer.from(row.mac, "hex"), Buffer.from(receiptMac(key, row), "hex")];
  return {
    receiptId: row.receipt_id,
    callId: row.call_id,
    part: row.part as DeletedPart,
    reason: row.reason as DeletionReason,
    actorId: row.actor_id,
    deletedAtMs: row.deleted_at_ms,
    recordings: row.recordings,
    tasks: row.tasks,
    keyDestroyed: row.key_destroyed === 1,
    completedAtMs: row.completed_at_ms,
    isGenuine: stored.length === expected.length && timingSafeEqual(stored, expected),
  };
}
