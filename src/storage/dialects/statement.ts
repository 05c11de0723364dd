/** What goes to a database and what comes back, the same for each of them. */
import { AppError } from "../../core/errors.js";

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface RowSet {
  readonly rows: readonly Record<string, unknown>[];
  /** Rows changed by a write; 0 for a read. */
  readonly changes: number;
}

/** PostgreSQL stores no NUL character in a text: the others refuse it too, so that no call depends on where it is stored. */
export function refuseNul({ parameters }: Statement): void {
  if (parameters.some((value) => typeof value === "string" && value.includes("\0"))) {
    throw new AppError("STORAGE_CONFLICT", "The database refused the change: a text holds a NUL character.", { details: { driverCode: "NUL_CHARACTER" } });
  }
}
