/** Calls, legs, recordings, segments, analyses. Not breaking: the first. */
import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("call")
    .addColumn("call_id", "varchar(128)", (column) => column.primaryKey())
    .addColumn("external_id", "varchar(128)")
    .addColumn("source", "varchar(16)", (column) => column.notNull())
    .addColumn("direction", "varchar(16)", (column) => column.notNull())
    .addColumn("status", "varchar(16)", (column) => column.notNull())
    .addColumn("mode", "varchar(16)", (column) => column.notNull())
    .addColumn("languages", "varchar(1024)", (column) => column.notNull())
    .addColumn("agent_id", "varchar(64)")
    .addColumn("caller_ref", "varchar(64)")
    .addColumn("legal_hold", "smallint", (column) => column.notNull().defaultTo(0))
    .addColumn("started_at_ms", "bigint", (column) => column.notNull())
    .addColumn("ended_at_ms", "bigint")
    .addColumn("duration_ms", "bigint")
    .addColumn("wrapped_key", "varchar(256)", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("call_started").on("call").columns(["started_at_ms", "call_id"]).execute();
  await createCallParts(db, types);
  await createAnalyses(db, types);
}

async function createCallParts(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("call_leg")
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("stream_id", "varchar(160)", (column) => column.notNull())
    .addColumn("channel", "varchar(16)", (column) => column.notNull())
    .addPrimaryKeyConstraint("call_leg_pk", ["call_id", "stream_id"])
    .execute();
  await db.schema
    .createTable("recording")
    .addColumn("recording_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("audio_key", "varchar(64)", (column) => column.notNull())
    .addColumn("container", "varchar(16)", (column) => column.notNull())
    .addColumn("byte_count", "bigint", (column) => column.notNull())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("recording_call").on("recording").column("call_id").execute();
  await db.schema
    .createTable("transcript_segment")
    .addColumn("segment_id", "varchar(64)", (column) => column.notNull())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("task_id", "varchar(36)", (column) => column.notNull())
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("channel", "varchar(16)", (column) => column.notNull())
    .addColumn("start_ms", "bigint", (column) => column.notNull())
    .addColumn("end_ms", "bigint", (column) => column.notNull())
    .addColumn("language", "varchar(16)", (column) => column.notNull())
    .addColumn("score", "double precision")
    .addColumn("text_sealed", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("words_sealed", sql.raw(types.longText))
    .addPrimaryKeyConstraint("transcript_segment_pk", ["task_id", "segment_id"])
    .execute();
  await db.schema.createIndex("transcript_segment_call").on("transcript_segment").columns(["call_id", "seq"]).execute();
}

async function createAnalyses(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("analysis_stage")
    .addColumn("task_id", "varchar(36)", (column) => column.notNull())
    .addColumn("stage", "varchar(32)", (column) => column.notNull())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("status", "varchar(16)", (column) => column.notNull())
    .addColumn("error_code", "varchar(64)")
    .addColumn("duration_ms", "bigint", (column) => column.notNull())
    .addColumn("finished_at_ms", "bigint", (column) => column.notNull())
    .addColumn("output_sealed", sql.raw(types.longText))
    .addPrimaryKeyConstraint("analysis_stage_pk", ["task_id", "stage"])
    .execute();
  await db.schema
    .createTable("analysis")
    .addColumn("task_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("status", "varchar(16)", (column) => column.notNull())
    .addColumn("completed_at_ms", "bigint", (column) => column.notNull())
    .addColumn("result_sealed", sql.raw(types.longText), (column) => column.notNull())
    .execute();
  await db.schema.createIndex("analysis_call").on("analysis").columns(["call_id", "completed_at_ms"]).execute();
}
