/** What people say of results. Words are sealed under the call's key; labels are of closed lists. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("agent_feedback")
    .addColumn("feedback_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("task_id", "varchar(36)", (column) => column.notNull())
    .addColumn("task", "varchar(32)", (column) => column.notNull())
    .addColumn("item", "varchar(160)")
    .addColumn("rating", "integer")
    .addColumn("agrees", "smallint")
    .addColumn("is_corrected", "smallint", (column) => column.notNull())
    .addColumn("predicted_label", "varchar(128)")
    .addColumn("corrected_label", "varchar(128)")
    .addColumn("model_task", "varchar(32)", (column) => column.notNull())
    .addColumn("engine", "varchar(64)", (column) => column.notNull())
    .addColumn("model_id", "varchar(256)", (column) => column.notNull())
    .addColumn("revision", "varchar(128)", (column) => column.notNull())
    .addColumn("actor_id", "varchar(64)", (column) => column.notNull())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("words_sealed", sql.raw(types.longText), (column) => column.notNull())
    .execute();
  await db.schema.createIndex("agent_feedback_call").on("agent_feedback").columns(["call_id", "created_at_ms"]).execute();
  await db.schema.createIndex("agent_feedback_created").on("agent_feedback").column("created_at_ms").execute();
}
