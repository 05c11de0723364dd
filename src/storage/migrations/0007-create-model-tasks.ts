/** Questions to single models and their answers, sealed under a key of their own, until they expire. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("model_task")
    .addColumn("task_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("model_task", "varchar(32)", (column) => column.notNull())
    .addColumn("actor_id", "varchar(64)", (column) => column.notNull())
    .addColumn("wrapped_key", "varchar(256)", (column) => column.notNull())
    .addColumn("question_sealed", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("answer_sealed", sql.raw(types.longText))
    .addColumn("audio_key", "varchar(64)")
    .addColumn("container", "varchar(16)")
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("model_task_created").on("model_task").column("created_at_ms").execute();
  await db.schema.createIndex("model_task_audio").on("model_task").column("audio_key").execute();
}
