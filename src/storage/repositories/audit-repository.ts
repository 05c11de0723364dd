/** The audit log: appended under a hash chain, never updated, verified from its first record to its head. */
import type { Transaction } from "kysely";
import { AppError } from "../../core/errors.js";
import {
  type AuditAction,
  type AuditEntry,
  type AuditRecord,
  type AuditSink,
  auditHeadMac,
  auditMac,
  FIRST_PREVIOUS_MAC,
} from "../../security/audit-record.js";
import type { AppDatabase } from "../database.js";
import { insertIfAbsent, lockRows } from "../portable-sql.js";
import type { DatabaseSchema } from "../schema.js";
import { inRepeatedTransaction } from "../unit-of-work.js";

export interface AuditVerification {
  readonly recordCount: number;
  /** First record that does not fit, or null when the chain is whole. */
  readonly brokenAtSeq: number | null;
}

export interface AuditRepository extends AuditSink {
  verify(): Promise<AuditVerification>;
}

const PAGE_ROWS = 1000;

/** `key` is derived from the master key for this purpose alone. */
export function createAuditRepository(options: {
  readonly database: AppDatabase;
  readonly key: Buffer;
  readonly onAppend?: (outcome: AuditEntry["outcome"]) => void;
}): AuditRepository {
  const { database, key, onAppend } = options;
  let waiting: { readonly entry: AuditEntry; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let isFlushing = false;

  // Entries that arrive while a flush runs share the next transaction, so that many readers cost few commits.
  const flush = async (): Promise<void> => {
    if (isFlushing) return;
    isFlushing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const entries = batch.map((item) => item.entry);
        await inRepeatedTransaction(database, (transaction) => appendAll(database, transaction, { key, entries }));
        for (const item of batch) {
          onAppend?.(item.entry.outcome);
          item.resolve();
        }
      } catch (cause) {
        const error = new AppError("AUDIT_SINK_UNAVAILABLE", "The audit log can't be written, so this was refused. Check the disk of the data directory.", {
          retryable: true,
          cause,
        });
        for (const item of batch) item.reject(error);
      }
    }
    isFlushing = false;
  };

  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        void flush();
      }),
    verify: () => verifyChain(database, key),
  };
}

interface Appending {
  readonly key: Buffer;
  readonly entries: readonly AuditEntry[];
}

async function appendAll(database: AppDatabase, transaction: Transaction<DatabaseSchema>, { key, entries }: Appending): Promise<void> {
  const head = await lockHead(database, transaction, key);
  let { seq, mac: previousMac } = head;
  for (const entry of entries) {
    seq += 1;
    const mac = auditMac(key, { ...entry, seq, previousMac });
    await transaction
      .insertInto("audit_record")
      .values({
        seq,
        at_ms: entry.atMs,
        actor_id: entry.actorId,
        role: entry.role,
        action: entry.action,
        target: entry.target,
        outcome: entry.outcome,
        previous_mac: previousMac,
        mac,
      })
      .execute();
    previousMac = mac;
  }
  await transaction
    .updateTable("audit_head")
    .set({ seq, mac: previousMac, head_mac: auditHeadMac(key, { seq, mac: previousMac }) })
    .where("id", "=", 1)
    .execute();
}

/** Whoever appends holds the head until the commit, so that the chain of several processes is one. */
async function lockHead(database: AppDatabase, transaction: Transaction<DatabaseSchema>, key: Buffer): Promise<{ readonly seq: number; readonly mac: string }> {
  const read = () => lockRows(database, transaction.selectFrom("audit_head").select(["seq", "mac"]).where("id", "=", 1)).executeTakeFirst();
  const head = await read();
  if (head !== undefined) return head;
  const first = { seq: 0, mac: FIRST_PREVIOUS_MAC };
  const row = { id: 1, ...first, head_mac: auditHeadMac(key, first) };
  await insertIfAbsent(database, transaction, { table: "audit_head", key: ["id"], row });
  // Another process may have been first with it, and may have appended since.
  return (await read()) ?? first;
}

async function verifyChain(database: AppDatabase, key: Buffer): Promise<AuditVerification> {
  // The head is read first: records appended meanwhile lie after it and are not part of this check.
  const head = await database.sql.selectFrom("audit_head").selectAll().where("id", "=", 1).executeTakeFirst();
  const lastSeq = head?.seq ?? 0;
  if (head !== undefined && auditHeadMac(key, head) !== head.head_mac) return { recordCount: 0, brokenAtSeq: head.seq };
  let previousMac = FIRST_PREVIOUS_MAC;
  let seq = 0;
  while (seq < lastSeq) {
    const records = await readPage(database, seq, lastSeq);
    if (records.length === 0) break;
    for (const record of records) {
      seq += 1;
      if (record.seq !== seq || record.previousMac !== previousMac || auditMac(key, record) !== record.mac) {
        return { recordCount: seq - 1, brokenAtSeq: seq };
      }
      previousMac = record.mac;
    }
  }
  const isWhole = seq === lastSeq && previousMac === (head?.mac ?? FIRST_PREVIOUS_MAC) && !(await hasStrayRecords(database));
  return { recordCount: seq, brokenAtSeq: isWhole ? null : seq + 1 };
}

/** Records after the head, or with no head at all. Record and head are stored together, so one question sees both. */
async function hasStrayRecords(database: AppDatabase): Promise<boolean> {
  const stray = await database.sql
    .selectFrom("audit_record")
    .select("seq")
    .where((eb) => eb("seq", ">", eb.fn.coalesce(eb.selectFrom("audit_head").select("audit_head.seq").where("id", "=", 1), eb.val(0))))
    .limit(1)
    .executeTakeFirst();
  return stray !== undefined;
}

async function readPage(database: AppDatabase, afterSeq: number, lastSeq: number): Promise<readonly AuditRecord[]> {
  const rows = await database.sql
    .selectFrom("audit_record")
    .selectAll()
    .where("seq", ">", afterSeq)
    .where("seq", "<=", lastSeq)
    .orderBy("seq")
    .limit(PAGE_ROWS)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    atMs: row.at_ms,
    actorId: row.actor_id,
    role: row.role,
    action: row.action as AuditAction,
    target: row.target,
    outcome: row.outcome as AuditEntry["outcome"],
    previousMac: row.previous_mac,
    mac: row.mac,
  }));
}
