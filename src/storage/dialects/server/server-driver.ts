/** Kysely's driver and our batches over a pool of sessions on a database server. */
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from "kysely";
import { AppError } from "../../../core/errors.js";
import type { OpenDialectOptions } from "../database-dialect.js";
import { type RowSet, refuseNul, type Statement } from "../statement.js";
import type { DatabaseSession, SessionPool } from "./session-pool.js";
import { repeatWhileInConflict } from "./transaction-conflict.js";

const BEGIN: Statement = { sql: "begin", parameters: [] };
const COMMIT: Statement = { sql: "commit", parameters: [] };
const ROLLBACK: Statement = { sql: "rollback", parameters: [] };

/** Counts what is in use, so that a close waits for it and whoever comes later is refused. */
export class ServerSessions {
  readonly #pool: SessionPool;
  readonly #onStatement: OpenDialectOptions["onStatement"];
  readonly #inUse = new Set<Promise<void>>();
  #isClosed = false;

  constructor(pool: SessionPool, onStatement: OpenDialectOptions["onStatement"]) {
    this.#pool = pool;
    this.#onStatement = onStatement;
  }

  async acquire(): Promise<DatabaseSession> {
    if (this.#isClosed) throw new AppError("STORAGE_UNAVAILABLE", "The database is closed; restart the service.", { retryable: true });
    let released: () => void = () => {};
    const use = new Promise<void>((resolve) => {
      released = resolve;
    });
    this.#inUse.add(use);
    const end = (): void => {
      this.#inUse.delete(use);
      released();
    };
    try {
      const session = await this.#pool.acquire();
      return {
        run: (statement) => session.run(statement),
        release: (isBroken) => {
          session.release(isBroken);
          end();
        },
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  async query(session: DatabaseSession, statement: Statement): Promise<RowSet> {
    refuseNul(statement);
    const startedAtMs = performance.now();
    try {
      return await session.run(statement);
    } finally {
      this.#onStatement?.("query", performance.now() - startedAtMs);
    }
  }

  /** Statements as one transaction. They do nothing but change rows, so they are run again after a deadlock. */
  async batch(statements: readonly Statement[]): Promise<readonly RowSet[]> {
    statements.forEach(refuseNul);
    const startedAtMs = performance.now();
    try {
      return await repeatWhileInConflict(() => this.#runTogether(statements));
    } finally {
      this.#onStatement?.("batch", performance.now() - startedAtMs);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all(this.#inUse);
    await this.#pool.close();
  }

  async #runTogether(statements: readonly Statement[]): Promise<readonly RowSet[]> {
    const session = await this.acquire();
    let isBroken = true;
    try {
      // One statement is a transaction by itself.
      const isOne = statements.length === 1;
      if (!isOne) await session.run(BEGIN);
      const results: RowSet[] = [];
      for (const statement of statements) results.push(await session.run(statement));
      if (!isOne) await session.run(COMMIT);
      isBroken = false;
      return results;
    } catch (error) {
      isBroken = !(await isRolledBack(session));
      throw error;
    } finally {
      session.release(isBroken);
    }
  }
}

async function isRolledBack(session: DatabaseSession): Promise<boolean> {
  return session.run(ROLLBACK).then(
    () => true,
    () => false,
  );
}

/** One Kysely connection is one session. */
export class ServerDriver implements Driver {
  readonly #sessions: ServerSessions;

  constructor(sessions: ServerSessions) {
    this.#sessions = sessions;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new ServerConnection(this.#sessions, await this.#sessions.acquire());
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(BEGIN.sql));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(COMMIT.sql));
  }

  /** Never fails: a session that can't even roll back is closed, which does it too, and the first error is the one to tell. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as ServerConnection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    (connection as ServerConnection).release();
  }

  /** The sessions' owner closes them. */
  async destroy(): Promise<void> {}
}

class ServerConnection implements DatabaseConnection {
  readonly #sessions: ServerSessions;
  readonly #session: DatabaseSession;
  #isBroken = false;

  constructor(sessions: ServerSessions, session: DatabaseSession) {
    this.#sessions = sessions;
    this.#session = session;
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#sessions.query(this.#session, { sql: compiled.sql, parameters: compiled.parameters });
    return { rows: result.rows as R[], numAffectedRows: BigInt(result.changes) };
  }

  async rollback(): Promise<void> {
    this.#isBroken = !(await isRolledBack(this.#session));
  }

  release(): void {
    this.#session.release(this.#isBroken);
  }

  // biome-ignore lint/correctness/useYield: no repository streams rows.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not offered");
  }
}
