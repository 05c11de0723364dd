/** What remains of deleted calls: that they were deleted. Not breaking. */
import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("deletion_receipt")
    .addColumn("receipt_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull())
    .addColumn("part", "varchar(16)", (column) => column.notNull())
    .addColumn("reason", "varchar(16)", (column) => column.notNull())
    .addColumn("actor_id", "varchar(64)", (column) => column.notNull())
    .addColumn("deleted_at_ms", "bigint", (column) => column.notNull())
    .addColumn("recordings", "integer", (column) => column.notNull())
    .addColumn("tasks", "integer", (column) => column.notNull())
    .addColumn("key_destroyed", "smallint", (column) => column.notNull())
    .addColumn("audio_keys", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("completed_at_ms", "bigint")
    .addColumn("mac", "varchar(64)", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("deletion_receipt_call").on("deletion_receipt").columns(["call_id", "receipt_id"]).execute();
  await db.schema.createIndex("deletion_receipt_completed").on("deletion_receipt").columns(["completed_at_ms", "receipt_id"]).execute();
}
