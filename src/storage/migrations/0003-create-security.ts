/** API keys and the audit log. Not breaking. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("api_key")
    .addColumn("key_id", "varchar(16)", (column) => column.primaryKey())
    .addColumn("secret_hash", "varchar(64)", (column) => column.notNull())
    .addColumn("role", "varchar(16)", (column) => column.notNull())
    .addColumn("label", "varchar(64)", (column) => column.notNull())
    .addColumn("created_at_ms", "bigint", (column) => column.notNull())
    .addColumn("revoked_at_ms", "bigint")
    .execute();
  await db.schema
    .createTable("audit_record")
    .addColumn("seq", "bigint", (column) => column.primaryKey())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("actor_id", "varchar(64)", (column) => column.notNull())
    .addColumn("role", "varchar(16)", (column) => column.notNull())
    .addColumn("action", "varchar(32)", (column) => column.notNull())
    .addColumn("target", "varchar(128)", (column) => column.notNull())
    .addColumn("outcome", "varchar(16)", (column) => column.notNull())
    .addColumn("previous_mac", "varchar(64)", (column) => column.notNull())
    .addColumn("mac", "varchar(64)", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("audit_head")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("seq", "bigint", (column) => column.notNull())
    .addColumn("mac", "varchar(64)", (column) => column.notNull())
    .addColumn("head_mac", "varchar(64)", (column) => column.notNull())
    .execute();
}
