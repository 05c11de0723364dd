/**
 * A unit of work: what several repositories write in it is stored together or not at all. A use case opens one and
 * hands it on, e.g. to store a call and enqueue its job in the same transaction.
 */
import type { Kysely, Transaction } from "kysely";
import type { AppDatabase } from "./database.js";
import { repeatWhileInConflict } from "./dialects/server/transaction-conflict.js";
import type { DatabaseSchema } from "./schema.js";

export interface UnitOfWork {
  readonly transaction: Transaction<DatabaseSchema>;
  /** Runs once the transaction is durable; never when it is rolled back. */
  afterCommit(task: () => void): void;
}

/** Commits when `work` resolves, rolls back when it rejects; the rejection goes on to the caller. */
export async function inUnitOfWork<T>(database: AppDatabase, work: (unitOfWork: UnitOfWork) => Promise<T>): Promise<T> {
  const tasks: (() => void)[] = [];
  const result = await database.sql.transaction().execute((transaction) => work({ transaction, afterCommit: (task) => tasks.push(task) }));
  for (const task of tasks) task();
  return result;
}

/** The unit of work's transaction, or the database outside any. */
export function executorOf(database: AppDatabase, unitOfWork: UnitOfWork | undefined): Kysely<DatabaseSchema> {
  return unitOfWork?.transaction ?? database.sql;
}

/**
 * For a repository's own transaction, which does nothing but read and write rows: run again when the database asks for
 * that. A use case's unit of work is not run again; its caller is told that it may try.
 */
export function inRepeatedTransaction<T>(database: AppDatabase, work: (transaction: Transaction<DatabaseSchema>) => Promise<T>): Promise<T> {
  return repeatWhileInConflict(() => database.sql.transaction().execute(work));
}
