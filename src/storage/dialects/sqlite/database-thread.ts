/**
 * The database thread: the only place that opens SQLite. libsql is synchronous, so it runs here and never on the
 * event loop that serves calls. One request at a time, in order; the client owns transactions.
 */
import { parentPort, workerData } from "node:worker_threads";
import Database from "libsql";
import type { RowSet, Statement } from "../statement.js";
import type { DatabaseRequest, DatabaseResponse } from "./database-message.js";

export interface ThreadOptions {
  readonly path: string;
  /** How long to wait for another process's lock. */
  readonly busyTimeoutMs: number;
  readonly journalMode: "wal" | "delete";
}

const CACHED_STATEMENTS = 300;
const TRANSACTION_CONTROL = /^(?:begin|commit|rollback)\b/i;

function openDatabase({ path, busyTimeoutMs, journalMode }: ThreadOptions): Database.Database {
  const database = new Database(path, { timeout: busyTimeoutMs });
  database.pragma(`journal_mode = ${journalMode}`);
  // FULL: a commit is on the disk before it is acknowledged; a helpline's box loses power.
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  // What was deleted, a call's key above all, is overwritten and not only forgotten.
  database.pragma("secure_delete = ON");
  // Small, so that commits write over a log that has its size already: growing it makes each sync dearer.
  database.pragma("wal_autocheckpoint = 200");
  return database;
}

function createExecutor(database: Database.Database): (statement: Statement) => RowSet {
  const prepared = new Map<string, Database.Statement>();
  return ({ sql, parameters }) => {
    // Not prepared: one that fails because another process writes would hold on to what the file was at that moment.
    if (TRANSACTION_CONTROL.test(sql)) {
      database.exec(sql);
      return { rows: [], changes: 0 };
    }
    let statement = prepared.get(sql);
    if (statement === undefined) {
      if (prepared.size >= CACHED_STATEMENTS) prepared.clear();
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    if (statement.reader) return { rows: statement.all(...parameters) as RowSet["rows"], changes: 0 };
    const result = statement.run(...parameters);
    return { rows: [], changes: result.changes };
  };
}

function runBatch(database: Database.Database, execute: (statement: Statement) => RowSet, statements: readonly Statement[]): readonly RowSet[] {
  database.exec("BEGIN IMMEDIATE");
  try {
    const results = statements.map(execute);
    database.exec("COMMIT");
    return results;
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function serve(port: NonNullable<typeof parentPort>, options: ThreadOptions): void {
  const database = openDatabase(options);
  const execute = createExecutor(database);
  port.on("message", (request: DatabaseRequest) => {
    let response: DatabaseResponse;
    try {
      if (request.kind === "close") {
        database.close();
        response = { id: request.id, results: [] };
      } else if (request.kind === "batch") {
        response = { id: request.id, results: runBatch(database, execute, request.statements) };
      } else {
        response = { id: request.id, results: [execute(request.statement)] };
      }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      response = { id: request.id, failure: { code: code ?? "SQLITE_ERROR", message } };
    }
    port.postMessage(response);
    if (request.kind === "close") port.close();
  });
}

if (parentPort !== null) serve(parentPort, workerData as ThreadOptions);
