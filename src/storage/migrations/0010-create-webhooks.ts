/** Webhooks, and how far each call's events have been delivered to each. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("webhook")
    .addColumn("webhook_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("wrapped_key", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("target_sealed", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("format", "varchar(16)", (column) => column.notNull())
    .addColumn("event_types", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("webhook_cursor")
    .addColumn("webhook_id", "varchar(36)", (column) => column.notNull().references("webhook.webhook_id").onDelete("cascade"))
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("next_seq", "integer", (column) => column.notNull())
    .addColumn("status", "varchar(16)", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("next_attempt_at_ms", "bigint", (column) => column.notNull())
    .addColumn("failing_since_ms", "bigint")
    .addPrimaryKeyConstraint("webhook_cursor_pk", ["webhook_id", "call_id"])
    .execute();
  await db.schema.createIndex("webhook_cursor_due").on("webhook_cursor").columns(["status", "next_attempt_at_ms"]).execute();
  await db.schema.createIndex("call_event_at").on("call_event").column("at_ms").execute();
}
