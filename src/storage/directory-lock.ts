/**
 * Keeps a data directory to one running service: an exclusive SQLite lock on a file of its own. The system drops it
 * when the process dies, however it dies, so a stale lock can't exist.
 */
import { AppError } from "../core/errors.js";
import { DatabaseClient } from "./dialects/sqlite/database-client.js";

export interface DirectoryLock {
  release(): Promise<void>;
}

/** @throws AppError `CONFIG_DATA_DIRECTORY_IN_USE` */
export async function lockDirectory(lockPath: string): Promise<DirectoryLock> {
  const client = new DatabaseClient({ path: lockPath, busyTimeoutMs: 100, journalMode: "delete" });
  try {
    await client.query({ sql: "begin exclusive", parameters: [] });
  } catch (cause) {
    await client.close().catch(() => {});
    const driverCode = cause instanceof AppError ? String(cause.details["driverCode"]) : "";
    if (driverCode.startsWith("SQLITE_CANTOPEN") || driverCode.startsWith("SQLITE_READONLY")) {
      throw new AppError("CONFIG_INVALID", "The data directory can't be written by this user. Change its owner, or choose another with --data-dir.", { cause });
    }
    if (!driverCode.startsWith("SQLITE_BUSY")) throw cause;
    throw new AppError(
      "CONFIG_DATA_DIRECTORY_IN_USE",
      "Another openchs-ai service uses this data directory. Stop it, or give this one its own with --data-dir.",
      { cause },
    );
  }
  return { release: () => client.close() };
}
