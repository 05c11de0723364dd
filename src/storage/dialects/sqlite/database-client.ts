/**
 * The main thread's side of the database thread: sends statements, hands answers back, and keeps the one connection
 * to one user at a time.
 */
import { Worker } from "node:worker_threads";
import { AppError } from "../../../core/errors.js";
import { BUSY_THREAD_LIMITS, threadEntry } from "../../../core/module-entry.js";
import { type RowSet, refuseNul, type Statement } from "../statement.js";
import type { DatabaseRequest, DatabaseResponse } from "./database-message.js";
import type { ThreadOptions } from "./database-thread.js";

type RequestBody = DatabaseRequest extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;

interface PendingRequest {
  readonly resolve: (results: readonly RowSet[]) => void;
  readonly reject: (error: Error) => void;
  readonly startedAtMs: number;
  readonly kind: DatabaseRequest["kind"];
}

export interface DatabaseClientOptions {
  /** File path, or `:memory:`. */
  readonly path: string;
  readonly busyTimeoutMs?: number;
  readonly journalMode?: ThreadOptions["journalMode"];
  readonly onStatement?: (kind: "query" | "batch", durationMs: number) => void;
}

/** A SQLite connection in a thread. Close it, or the thread stays. */
export class DatabaseClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #onStatement: DatabaseClientOptions["onStatement"];
  #nextId = 1;
  #failure: AppError | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: DatabaseClientOptions) {
    const thread = threadEntry(import.meta.url, "./database-thread");
    this.#onStatement = options.onStatement;
    const { path, busyTimeoutMs = 10_000, journalMode = "wal" } = options;
    this.#worker = new Worker(thread.entry, {
      workerData: { path, busyTimeoutMs, journalMode } satisfies ThreadOptions,
      eval: thread.eval,
      resourceLimits: BUSY_THREAD_LIMITS,
    });
    this.#worker.on("message", (response: DatabaseResponse) => this.#settle(response));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("database thread ended")));
  }

  /** Runs one statement. Only the holder of the turn (see `takeTurn`) may call it. */
  async query(statement: Statement): Promise<RowSet> {
    refuseNul(statement);
    const [result] = await this.#request({ kind: "query", statement });
    return result ?? { rows: [], changes: 0 };
  }

  /** Runs statements as one transaction: all or none, one commit. Waits for its turn by itself. */
  async batch(statements: readonly Statement[]): Promise<readonly RowSet[]> {
    statements.forEach(refuseNul);
    const release = await this.takeTurn();
    try {
      const [only] = statements;
      // One statement is a transaction by itself, without the cost of opening and closing one.
      if (only !== undefined && statements.length === 1) return await this.#request({ kind: "query", statement: only });
      return await this.#request({ kind: "batch", statements });
    } finally {
      release();
    }
  }

  /** Waits until the connection is free and keeps it; call the result to give it back. */
  async takeTurn(): Promise<() => void> {
    const before = this.#turn;
    let release: () => void = () => {};
    this.#turn = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    return release;
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const release = await this.takeTurn();
    try {
      await this.#request({ kind: "close" });
      this.#failure = closed();
      await this.#worker.terminate();
    } finally {
      release();
    }
  }

  #request(body: RequestBody): Promise<readonly RowSet[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, startedAtMs: performance.now(), kind: body.kind });
      this.#worker.postMessage({ id, ...body });
    });
  }

  #settle(response: DatabaseResponse): void {
    const pending = this.#pending.get(response.id);
    if (pending === undefined) return;
    this.#pending.delete(response.id);
    if (pending.kind !== "close") this.#onStatement?.(pending.kind, performance.now() - pending.startedAtMs);
    if (response.failure === undefined) pending.resolve(response.results);
    else pending.reject(toStorageError(response.failure));
  }

  #fail(error: unknown): void {
    this.#failure ??= closed(error);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

function closed(cause?: unknown): AppError {
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  const details = typeof code === "string" ? { driverCode: code } : {};
  return new AppError("STORAGE_UNAVAILABLE", "The database is closed or its thread ended; restart the service.", { retryable: true, details, cause });
}

/** Translates driver codes; nobody above storage sees them. The driver's text may quote values, so it stays in `cause`. */
function toStorageError(failure: { readonly code: string; readonly message: string }): AppError {
  const cause = new Error(failure.message);
  const details = { driverCode: failure.code };
  if (failure.code.startsWith("SQLITE_CONSTRAINT")) {
    return new AppError("STORAGE_CONFLICT", "The database refused the change: it conflicts with what is stored.", { details, cause });
  }
  if (failure.code === "SQLITE_FULL" || failure.code === "SQLITE_IOERR_WRITE") {
    return new AppError("STORAGE_FULL", "The disk is full: free space in the data directory, then try again.", { retryable: true, details, cause });
  }
  return new AppError("STORAGE_UNAVAILABLE", "The database could not do this; see the log.", { retryable: true, details, cause });
}
