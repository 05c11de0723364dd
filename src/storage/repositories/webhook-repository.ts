/** Webhooks and their cursors: which event of which call each is to get next. The events themselves are the outbox. */
import { sql } from "kysely";
import type { CallEventType } from "../../core/call-event.js";
import type { DeliveryCursor, DeliveryStatus, Webhook, WebhookFormat, WebhookTarget } from "../../core/webhook.js";
import type { SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { lockRows } from "../portable-sql.js";
import type { WebhookCursorTable, WebhookTable } from "../schema.js";
import { inRepeatedTransaction } from "../unit-of-work.js";
import { notSynthetic } from "./call-repository.js";

export interface DeliveryCounts {
  readonly pending: number;
  readonly dead: number;
}

export interface WebhookRepository {
  insert(webhook: Webhook): Promise<void>;
  /** Oldest first. */
  list(): Promise<readonly Webhook[]>;
  /** With its cursors; false when there is none. */
  remove(webhookId: string): Promise<boolean>;
  /** The call has new events: whoever was done with it has something to do again. */
  wake(webhookId: string, callId: string, nowMs: number): Promise<void>;
  /** Wakes every call that has events a webhook did not get: a notice, or the process, was lost. */
  wakeAll(webhook: Webhook, nowMs: number): Promise<void>;
  /** Longest due first. */
  listDue(nowMs: number, limit: number): Promise<readonly DeliveryCursor[]>;
  /**
   * Of several processes one gets to deliver: nobody else finds the cursor due until then.
   *
   * @returns false when another was first, or the cursor has changed since it was listed
   */
  claim(cursor: DeliveryCursor, untilMs: number): Promise<boolean>;
  /** Never goes back: what another process has delivered meanwhile stays delivered. */
  save(cursor: DeliveryCursor): Promise<void>;
  /** Nothing is left for now, unless an event came that is not delivered. */
  rest(cursor: DeliveryCursor): Promise<void>;
  counts(webhookId: string): Promise<DeliveryCounts>;
  listDead(webhookId: string, limit: number): Promise<readonly DeliveryCursor[]>;
  /** Dead deliveries are tried again from where they stopped. @returns how many */
  revive(webhookId: string, nowMs: number): Promise<number>;
}

type DeliveryMethods = Pick<WebhookRepository, "wake" | "wakeAll" | "listDue" | "claim" | "save" | "rest">;
type StatusMethods = Pick<WebhookRepository, "counts" | "listDead" | "revive">;

/** Targets are sealed under a key of their webhook. */
export function createWebhookRepository(options: { readonly database: AppDatabase; readonly sealers: SealerFactory }): WebhookRepository {
  const { sql: db } = options.database;
  const { sealers } = options;
  return {
    async insert({ webhookId, target, format, eventTypes, createdAtMs }) {
      const wrapped_key = sealers.wrap(webhookId, sealers.newCallKey());
      const target_sealed = sealers.open(webhookId, wrapped_key).seal("webhook.target", JSON.stringify(target));
      const row = { webhook_id: webhookId, wrapped_key, target_sealed, format, event_types: JSON.stringify(eventTypes), created_at_ms: createdAtMs };
      await db.insertInto("webhook").values(row).execute();
    },
    async list() {
      const rows = await db.selectFrom("webhook").selectAll().orderBy("webhook_id").execute();
      return rows.map((row) => toWebhook(sealers, row));
    },
    async remove(webhookId) {
      return (await db.deleteFrom("webhook").where("webhook_id", "=", webhookId).executeTakeFirst()).numDeletedRows === 1n;
    },
    ...deliveryMethods(options.database),
    ...statusMethods(db),
  };
}

function deliveryMethods(database: AppDatabase): DeliveryMethods {
  const { sql: db } = database;
  const wake: DeliveryMethods["wake"] = (webhookId, callId, nowMs) => wakeCursor(database, { webhookId, callId, nowMs });
  return {
    wake,
    async wakeAll({ webhookId, createdAtMs }, nowMs) {
      const calls = await db
        .selectFrom("call_event as event")
        .leftJoin("webhook_cursor as cursor", (join) => join.onRef("cursor.call_id", "=", "event.call_id").on("cursor.webhook_id", "=", webhookId))
        .select("event.call_id")
        .innerJoin("call", "call.call_id", "event.call_id")
        .where(notSynthetic())
        .where("event.at_ms", ">=", createdAtMs)
        .where((eb) => eb.or([eb("cursor.next_seq", "is", null), eb("event.seq", ">=", eb.ref("cursor.next_seq"))]))
        .distinct()
        .execute();
      for (const { call_id } of calls) await wake(webhookId, call_id, nowMs);
    },
    async listDue(nowMs, limit) {
      const rows = await db
        .selectFrom("webhook_cursor")
        .selectAll()
        .where("status", "=", "pending")
        .where("next_attempt_at_ms", "<=", nowMs)
        .orderBy("next_attempt_at_ms")
        .orderBy("call_id")
        .limit(limit)
        .execute();
      return rows.map(toCursor);
    },
    async claim({ webhookId, callId, nextSeq, nextAttemptAtMs }, untilMs) {
      const result = await db
        .updateTable("webhook_cursor")
        .set({ next_attempt_at_ms: untilMs })
        .where("webhook_id", "=", webhookId)
        .where("call_id", "=", callId)
        .where("status", "=", "pending")
        .where("next_seq", "=", nextSeq)
        .where("next_attempt_at_ms", "=", nextAttemptAtMs)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async save({ webhookId, callId, nextSeq, status, attempts, nextAttemptAtMs, failingSinceMs }) {
      const change = { next_seq: nextSeq, status, attempts, next_attempt_at_ms: nextAttemptAtMs, failing_since_ms: failingSinceMs };
      await db
        .updateTable("webhook_cursor")
        .set(change)
        .where("webhook_id", "=", webhookId)
        .where("call_id", "=", callId)
        .where("next_seq", "<=", nextSeq)
        .execute();
    },
    rest: (cursor) => restCursor(database, cursor),
  };
}

async function wakeCursor(
  { sql: db, dialect }: AppDatabase,
  { webhookId, callId, nowMs }: { readonly webhookId: string; readonly callId: string; readonly nowMs: number },
): Promise<void> {
  const row = { webhook_id: webhookId, call_id: callId, next_seq: 1, status: "pending", attempts: 0, next_attempt_at_ms: nowMs, failing_since_ms: null };
  const insert = db.insertInto("webhook_cursor").values(row);
  if (dialect !== "mysql") {
    await insert
      .onConflict((conflict) =>
        conflict.columns(["webhook_id", "call_id"]).doUpdateSet({ status: "pending", next_attempt_at_ms: nowMs }).where("webhook_cursor.status", "=", "idle"),
      )
      .execute();
    return;
  }
  // The status last: a column set before it is read as it was set.
  const next_attempt_at_ms = sql<number>`case when status = 'idle' then ${nowMs} else next_attempt_at_ms end`;
  await insert.onDuplicateKeyUpdate({ next_attempt_at_ms, status: sql<string>`case when status = 'idle' then 'pending' else status end` }).execute();
}

/**
 * The cursor is locked first and the events are looked at then: an event that is stored while this runs is either seen
 * here, or its wake waits for the lock and finds the cursor at rest.
 */
async function restCursor(database: AppDatabase, { webhookId, callId, nextSeq }: DeliveryCursor): Promise<void> {
  await inRepeatedTransaction(database, async (transaction) => {
    const cursor = transaction.selectFrom("webhook_cursor").select("next_seq").where("webhook_id", "=", webhookId).where("call_id", "=", callId);
    await lockRows(database, cursor).execute();
    const result = await transaction
      .updateTable("webhook_cursor")
      .set({ status: "idle", next_seq: nextSeq, attempts: 0, failing_since_ms: null })
      .where("webhook_id", "=", webhookId)
      .where("call_id", "=", callId)
      .where("next_seq", "<=", nextSeq)
      .where((eb) => eb.not(eb.exists(eb.selectFrom("call_event").select("seq").where("call_event.call_id", "=", callId).where("seq", ">=", nextSeq))))
      .executeTakeFirst();
    if (result.numUpdatedRows === 1n) return;
    // Due at once, however long it was claimed for.
    const left = transaction.updateTable("webhook_cursor").set({ next_attempt_at_ms: 0 }).where("webhook_id", "=", webhookId);
    await left.where("call_id", "=", callId).where("status", "=", "pending").where("next_seq", "<=", nextSeq).execute();
  });
}

function statusMethods(db: AppDatabase["sql"]): StatusMethods {
  return {
    async counts(webhookId) {
      const rows = await db
        .selectFrom("webhook_cursor")
        .select(["status", ({ fn }) => fn.countAll<number>().as("count")])
        .where("webhook_id", "=", webhookId)
        .groupBy("status")
        .execute();
      const of = (status: DeliveryStatus): number => Number(rows.find((row) => row.status === status)?.count ?? 0);
      return { pending: of("pending"), dead: of("dead") };
    },
    async listDead(webhookId, limit) {
      const rows = await db
        .selectFrom("webhook_cursor")
        .selectAll()
        .where("webhook_id", "=", webhookId)
        .where("status", "=", "dead")
        .orderBy("call_id")
        .limit(limit)
        .execute();
      return rows.map(toCursor);
    },
    async revive(webhookId, nowMs) {
      const result = await db
        .updateTable("webhook_cursor")
        .set({ status: "pending", attempts: 0, next_attempt_at_ms: nowMs, failing_since_ms: null })
        .where("webhook_id", "=", webhookId)
        .where("status", "=", "dead")
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
  };
}

function toWebhook(sealers: SealerFactory, row: WebhookTable): Webhook {
  const target = sealers.open(row.webhook_id, row.wrapped_key).open("webhook.target", row.target_sealed);
  return {
    webhookId: row.webhook_id,
    target: JSON.parse(target) as WebhookTarget,
    format: row.format as WebhookFormat,
    eventTypes: JSON.parse(row.event_types) as CallEventType[],
    createdAtMs: row.created_at_ms,
  };
}

function toCursor(row: WebhookCursorTable): DeliveryCursor {
  return {
    webhookId: row.webhook_id,
    callId: row.call_id,
    nextSeq: row.next_seq,
    status: row.status as DeliveryStatus,
    attempts: row.attempts,
    nextAttemptAtMs: row.next_attempt_at_ms,
    failingSinceMs: row.failing_since_ms,
  };
}
