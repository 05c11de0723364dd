/**
 * Jobs get a number that rises with each, kept by the database: jobs of one millisecond run in the order they came in, on
 * every database. Until now it was SQLite's row number, which others have not. Not breaking.
 */
import { type Kysely, type SqlBool, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

const COLUMNS = [
  ...["job_id", "queue", "job_name", "payload", "status", "priority", "run_at_ms", "delivery", "attempt", "max_attempts", "stall_count"],
  ...["lease_until_ms", "cancel_requested", "progress", "step", "idempotency_key", "error_code", "created_at_ms", "finished_at_ms"],
];

/** No database adds such a column with its numbers in order, so the table is made anew. */
export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema.dropTable("job_counted").ifExists().execute();
  await createJobs(db, types);
  const columns = sql.join(COLUMNS.map((name) => sql.ref(name)));
  const order = sql.join(types.rowOrder.map((name) => sql.ref(name)));
  await sql`insert into ${sql.table("job_counted")} (${columns}) select ${columns} from ${sql.table("job")} order by ${order}`.execute(db);
  await db.schema.dropTable("job").execute();
  await db.schema.alterTable("job_counted").renameTo("job").execute();
}

async function createJobs(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("job_counted")
    .addColumn("enqueue_seq", sql.raw(types.countedKey))
    .addColumn("job_id", "varchar(36)", (column) => column.notNull())
    .addColumn("queue", "varchar(32)", (column) => column.notNull())
    .addColumn("job_name", "varchar(64)", (column) => column.notNull())
    .addColumn("payload", sql.raw(types.longText), (column) => column.notNull())
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
  await db.schema.createIndex("job_id_unique").on("job_counted").column("job_id").unique().execute();
  // In the order of claims to its end, so that a claim reads, and locks, no more rows than it takes.
  await db.schema.createIndex("job_due").on("job_counted").columns(["queue", "status", "priority desc", "run_at_ms", "enqueue_seq"]).execute();
  const unique = db.schema.createIndex("job_key").on("job_counted").columns(["queue", "idempotency_key"]).unique();
  await (types.hasPartialIndexes ? unique.where(sql<SqlBool>`idempotency_key is not null`) : unique).execute();
}
