/** Contract of a server's sessions: what the driver of PostgreSQL and that of MariaDB are to us. */
import { AppError } from "../../../core/errors.js";
import type { RowSet, Statement } from "../statement.js";

export interface DatabaseSession {
  /** Fails with codes of ours. */
  run(statement: Statement): Promise<RowSet>;
  /** Gives it back to the pool; one that may hold half a transaction is closed instead. */
  release(isBroken: boolean): void;
}

export interface SessionPool {
  /** Waits for a free session. @throws AppError `STORAGE_UNAVAILABLE` */
  acquire(): Promise<DatabaseSession>;
  /** Ends every session; none is in use any more. */
  close(): Promise<void>;
}

export interface SessionPoolOptions {
  readonly poolSize: number;
}

/** For a session: how long it waits for a row that another one holds. */
export const LOCK_WAIT_S = 20;

/** A process that was stopped in the middle of a transaction must not hold its rows for ever. */
export const IDLE_TRANSACTION_S = 60;

export const DEFAULT_POOL_SIZE = 10;

export const CONNECT_TIMEOUT_MS = 15_000;

/** The driver's text may quote values, so it stays in `cause`. */
export function refused(driverCode: string, cause: unknown): AppError {
  return new AppError("STORAGE_CONFLICT", "The database refused the change: it conflicts with what is stored.", { details: { driverCode }, cause });
}

export function diskFull(driverCode: string, cause: unknown): AppError {
  return new AppError("STORAGE_FULL", "The disk of the database server is full: free space there, then try again.", {
    ...{ retryable: true, details: { driverCode }, cause },
  });
}

/** Also for a server that is not there, and for one that does not let us in. */
export function unavailable(driverCode: string, cause: unknown): AppError {
  return new AppError("STORAGE_UNAVAILABLE", "The database server could not do this; see the log.", { retryable: true, details: { driverCode }, cause });
}

export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "UNKNOWN";
}
