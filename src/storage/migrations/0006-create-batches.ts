/** Batches of recordings; which recording is the original, and its fingerprint. Not breaking. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("recording")
    .addColumn("kind", "varchar(16)", (column) => column.notNull().defaultTo("original"))
    .execute();
  await db.schema.alterTable("recording").addColumn("fingerprint", "varchar(64)").execute();
  await db.schema
    .createTable("batch")
    .addColumn("batch_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("batch_item")
    .addColumn("batch_id", "varchar(36)", (column) => column.notNull().references("batch.batch_id").onDelete("cascade"))
    .addColumn("position", "integer", (column) => column.notNull())
    .addColumn("task_id", "varchar(36)")
    .addColumn("error_code", "varchar(64)")
    .addPrimaryKeyConstraint("batch_item_pk", ["batch_id", "position"])
    .execute();
}
