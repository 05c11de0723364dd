/** Calls that come in live: how each is run, how it ended, and where audio was received. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("live_call")
    .addColumn("call_id", "varchar(128)", (column) => column.primaryKey().references("call.call_id").onDelete("cascade"))
    .addColumn("task_id", "varchar(36)", (column) => column.notNull())
    .addColumn("language", "varchar(16)", (column) => column.notNull())
    .addColumn("extension", "varchar(64)")
    .addColumn("queue_name", "varchar(64)")
    .addColumn("is_paired", "smallint", (column) => column.notNull())
    .addColumn("end_reason", "varchar(16)")
    .addColumn("coverage", sql.raw(types.longText))
    .execute();
  await db.schema.createIndex("live_call_end").on("live_call").column("end_reason").execute();
}
