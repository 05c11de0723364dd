/**
 * What a server does with two transactions that wait for each other: it ends one, and that one may try again.
 */
import { AppError } from "../../../core/errors.js";

/** PostgreSQL: serialization, deadlock, lock timeout. MariaDB: deadlock, lock timeout, row changed since it was read. */
const CONFLICT_CODES = ["40001", "40P01", "55P03", "ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT", "ER_CHECKREAD"];
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 10;

/** Tries again after a pause that grows and is never the same for two. */
export async function repeatWhileInConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (number === ATTEMPTS || !isConflictOfTransactions(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * FIRST_PAUSE_MS * 2 ** number));
    }
  }
}

function isConflictOfTransactions(error: unknown): boolean {
  return error instanceof AppError && CONFLICT_CODES.includes(String(error.details["driverCode"]));
}
