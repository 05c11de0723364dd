/** What proves that a master key is the one this data was made with. Not breaking. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("master_key_check")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("fingerprint", "varchar(64)", (column) => column.notNull())
    .execute();
}
