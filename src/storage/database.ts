/** Opens the database named by a path and gives the rest of storage one handle to it. */
import { Kysely } from "kysely";
import { DatabaseClient } from "./dialects/sqlite/database-client.js";
import type { RowSet, Statement } from "./dialects/sqlite/database-message.js";
import { createSqliteDialect } from "./dialects/sqlite/sqlite-dialect.js";
import { type AppliedMigration, migrateToLatest } from "./migrator.js";
import type { DatabaseSchema } from "./schema.js";

export interface OpenDatabaseOptions {
  /** SQLite file, or `:memory:`. */
  readonly path: string;
  readonly onStatement?: (kind: "query" | "batch", durationMs: number) => void;
}

export interface AppDatabase {
  readonly sql: Kysely<DatabaseSchema>;
  /** Runs compiled statements as one transaction with one commit: what the queue's group commit needs. */
  batch(statements: readonly Statement[]): Promise<readonly RowSet[]>;
  migrate(): Promise<readonly AppliedMigration[]>;
  close(): Promise<void>;
}

/** Opens, and does not migrate: the caller decides when. */
export function openDatabase(options: OpenDatabaseOptions): AppDatabase {
  const client = new DatabaseClient(options);
  const sql = new Kysely<DatabaseSchema>({ dialect: createSqliteDialect(client) });
  return {
    sql,
    batch: (statements) => client.batch(statements),
    migrate: () => migrateToLatest(sql, { longText: "text" }),
    async close() {
      await sql.destroy();
      await client.close();
    },
  };
}
