/**
 * Jobs remember the queue they were put into, for they may be handed on to another: their keys belong to the first. Breaking: a
 * process of before can enqueue nothing afterwards, for the index it counts on is gone; they are stopped first.
 */
import { type Kysely, type SqlBool, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable("job")
    .addColumn("enqueued_in", "varchar(32)", (column) => column.notNull().defaultTo(""))
    .execute();
  await sql`update job set enqueued_in = queue`.execute(db);
  const drop = db.schema.dropIndex("job_key").ifExists();
  // An index is its table's own where indexes may not leave rows out.
  await (types.hasPartialIndexes ? drop : drop.on("job")).execute();
  const unique = db.schema.createIndex("job_key").on("job").columns(["enqueued_in", "idempotency_key"]).unique();
  await (types.hasPartialIndexes ? unique.where(sql<SqlBool>`idempotency_key is not null`) : unique).execute();
}
