/** Kysely's SQLite dialect over the database thread. */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { WordIndex } from "../column-types.js";
import type { DatabaseDialect, OpenDialectOptions } from "../database-dialect.js";
import { DatabaseClient } from "./database-client.js";

/** Opens the file; its one connection is in a thread. */
export function openSqlite(path: string, { onStatement }: OpenDialectOptions): DatabaseDialect {
  const client = new DatabaseClient({ path, ...(onStatement === undefined ? {} : { onStatement }) });
  return {
    name: "sqlite",
    kysely: createKyselyDialect(client),
    columnTypes: {
      ...{ longText: "text", countedKey: "integer primary key", numberKey: "integer primary key", rowOrder: ["rowid"], hasPartialIndexes: true },
      wordIndex,
    },
    batch: (statements) => client.batch(statements),
    close: () => client.close(),
  };
}

/**
 * FTS5 beside the table, kept up by triggers. Which word is there is all that is asked for, and what is deleted is gone from
 * the index at once.
 */
function wordIndex({ table, key, column }: WordIndex): readonly string[] {
  const index = `${table}_index`;
  return [
    `create virtual table ${index} using fts5(${column}, content='${table}', content_rowid='${key}', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')`,
    `insert into ${index}(${index}, rank) values ('secure-delete', 1)`,
    `create trigger ${table}_added after insert on ${table} begin insert into ${index}(rowid, ${column}) values (new.${key}, new.${column}); end`,
    `create trigger ${table}_removed after delete on ${table} begin insert into ${index}(${index}, rowid, ${column}) values ('delete', old.${key}, old.${column}); end`,
  ];
}

function createKyselyDialect(client: DatabaseClient): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ThreadDriver(client),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * Kysely takes it that one process alone opens a SQLite file and migrates without a lock. In a transaction, which takes the
 * write lock, one of several processes migrates and the others wait; and a migration that fails leaves nothing behind.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** There is one connection; acquiring it takes the client's turn. */
class ThreadDriver implements Driver {
  readonly #client: DatabaseClient;
  readonly #releases = new WeakMap<DatabaseConnection, () => void>();

  constructor(client: DatabaseClient) {
    this.#client = client;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const release = await this.#client.takeTurn();
    const connection = new ThreadConnection(this.#client);
    this.#releases.set(connection, release);
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // IMMEDIATE: take the write lock at once, so that two processes never deadlock on upgrading a read.
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#releases.get(connection)?.();
    this.#releases.delete(connection);
  }

  /** The client's owner closes it. */
  async destroy(): Promise<void> {}
}

class ThreadConnection implements DatabaseConnection {
  readonly #client: DatabaseClient;

  constructor(client: DatabaseClient) {
    this.#client = client;
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#client.query({ sql: compiled.sql, parameters: compiled.parameters });
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.changes) };
  }

  // biome-ignore lint/correctness/useYield: the database thread answers whole results; streaming is not offered.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not offered by the SQLite thread");
  }
}
