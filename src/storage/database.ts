/** Opens the database named by a path or a URL and gives the rest of storage one handle to it. */
import { Kysely } from "kysely";
import { AppError } from "../core/errors.js";
import type { DatabaseDialect, DialectName, OpenDialectOptions } from "./dialects/database-dialect.js";
import { openMysql } from "./dialects/mysql/mysql-dialect.js";
import { openPostgres } from "./dialects/postgres/postgres-dialect.js";
import { openSqlite } from "./dialects/sqlite/sqlite-dialect.js";
import type { RowSet, Statement } from "./dialects/statement.js";
import { type AppliedMigration, type MigrateOptions, migrateSchema } from "./migrator.js";
import { createReadReplica, type ReadReplica } from "./read-replica.js";
import type { DatabaseSchema } from "./schema.js";

/**
 * One of the two. `path`: SQLite file, or `:memory:`. `url`: `postgres://` or `mysql://`; what is neither is a path. `readUrl`:
 * a replica of PostgreSQL.
 */
export type OpenDatabaseOptions = OpenDialectOptions & ({ readonly path: string } | { readonly url: string; readonly readUrl?: string });

export interface AppDatabase {
  /** What few statements must be written differently for. */
  readonly dialect: DialectName;
  readonly sql: Kysely<DatabaseSchema>;
  /** For reads that take long and change nothing: on a replica where there is one. They see all that was committed before. */
  read<T>(work: (executor: Kysely<DatabaseSchema>) => Promise<T>): Promise<T>;
  /** Runs compiled statements as one transaction with one commit: what the queue's group commit needs. */
  batch(statements: readonly Statement[]): Promise<readonly RowSet[]>;
  /** @returns whether the replica answers; undefined where there is none. @throws AppError `CONFIG_INVALID` for one of something else */
  verifyReplica(): Promise<boolean | undefined>;
  migrate(options?: MigrateOptions): Promise<readonly AppliedMigration[]>;
  /** Waits for what runs; what comes later fails with `STORAGE_UNAVAILABLE`. */
  close(): Promise<void>;
}

/**
 * Opens, and does not migrate: the caller decides when. A server is connected to when it is first asked something, and is
 * `STORAGE_UNAVAILABLE` then when it does not answer.
 *
 * @throws AppError `CONFIG_INVALID` when a URL can't be used; it never repeats the URL
 */
export function openDatabase(options: OpenDatabaseOptions): AppDatabase {
  const dialect = openDialect("url" in options ? options.url : options.path, options);
  const sql = new Kysely<DatabaseSchema>({ dialect: dialect.kysely });
  const replica = openReplica(dialect, sql, options);
  return {
    dialect: dialect.name,
    sql,
    batch: (statements) => (statements.length === 0 ? Promise.resolve([]) : dialect.batch(statements)),
    read: (work) => (replica === undefined ? work(sql) : replica.read(work)),
    verifyReplica: async () => replica?.verify(),
    migrate: (migrateOptions) => migrateSchema(sql, dialect.columnTypes, migrateOptions),
    async close() {
      await replica?.close();
      await dialect.close();
    },
  };
}

function openReplica(dialect: DatabaseDialect, primary: Kysely<DatabaseSchema>, options: OpenDatabaseOptions): ReadReplica | undefined {
  const readUrl = "url" in options ? options.readUrl : undefined;
  if (readUrl === undefined) return undefined;
  const { poolSize, onStatement } = options;
  const replica = openDialect(readUrl, {
    ...(poolSize === undefined ? {} : { poolSize }),
    ...(onStatement === undefined ? {} : { onStatement: (_kind, durationMs) => onStatement("replica", durationMs) }),
  });
  if (dialect.name === "postgres" && replica.name === "postgres") return createReadReplica(primary, replica);
  throw new AppError("CONFIG_INVALID", "DATABASE_READ_URL is for PostgreSQL: both URLs have to begin with postgres://.");
}

function openDialect(place: string, options: OpenDialectOptions): DatabaseDialect {
  if (/^postgres(ql)?:\/\//i.test(place)) return openPostgres(place, options);
  if (/^(mysql|mariadb):\/\//i.test(place)) return openMysql(place, options);
  return openSqlite(place, options);
}
