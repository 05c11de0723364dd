/** The job table: the embedded queue claims from it, and every backend's jobs are first recorded in it. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("job")
    .addColumn("job_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("queue", "varchar(32)", (column) => column.notNull())
    .addColumn("job_name", "varchar(64)", (column) => column.notNull())
    .addColumn("payload", "text", (column) => column.notNull())
    .addColumn("status", "varchar(16)", (column) => column.notNull())
    .addColumn("priority", "integer", (column) => column.notNull())
    .addColumn("run_at_ms", "bigint", (column) => column.notNull())
    .addColumn("delivery", "integer", (column) => column.notNull())
    .addColumn("attempt", "integer", (column) => column.notNull())
    .addColumn("max_attempts", "integer", (column) => column.notNull())
    .addColumn("stall_count", "integer", (column) => column.notNull())
    .addColumn("lease_until_ms", "bigint")
    .addColumn("cancel_requested", "smallint", (column) => column.notNull())
    .addColumn("progress", "integer", (column) => column.notNull())
    .addColumn("step", "varchar(32)", (column) => column.notNull())
    .addColumn("idempotency_key", "varchar(128)")
    .addColumn("error_code", "varchar(64)")
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("finished_at_ms", "bigint")
    .execute();
  await db.schema.createIndex("job_claim").on("job").columns(["queue", "status", "priority desc", "run_at_ms"]).execute();
  // Partial: most jobs have no key, and an index entry for nothing is a page more to sync with every job.
  const unique = db.schema.createIndex("job_idempotency").on("job").columns(["queue", "idempotency_key"]).unique();
  await (types.hasPartialIndexes ? unique.where(sql.ref("idempotency_key"), "is not", null) : unique).execute();
}
