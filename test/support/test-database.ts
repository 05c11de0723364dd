/** A migrated SQLite file of the test's own, closed and removed when the test has finished. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface TestDatabase {
  readonly database: AppDatabase;
  readonly path: string;
  readonly directory: string;
}

export async function openTestDatabase(options: { readonly isMigrated?: boolean } = {}): Promise<TestDatabase> {
  const temporary = await makeTemporaryDirectory();
  const path = join(temporary.path, "test.db");
  const database = openDatabase({ path });
  onTestFinished(async () => {
    await database.close();
    await temporary.remove();
  });
  if (options.isMigrated !== false) await database.migrate();
  return { database, path, directory: temporary.path };
}
