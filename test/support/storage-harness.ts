/** What the storage contract needs of a kind of database: databases of the test's own, opened as by several processes. */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type AppDatabase, type OpenDatabaseOptions, openDatabase } from "../../src/storage/database.js";
import { askMariadb, startMariadb } from "./start-mariadb.js";
import { askPostgres, startPostgres } from "./start-postgres.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface StorageHarness {
  /** Makes a database for one test, gone when it has finished. @returns opens it, each time as another process would */
  createDatabase(options?: { readonly isMigrated?: boolean }): Promise<() => AppDatabase>;
  stop(): Promise<void>;
}

interface Place {
  readonly options: OpenDatabaseOptions;
  readonly needsMigration: boolean;
  remove(): Promise<void>;
}

/** What is opened is closed, and then the database removed, when the test has finished. */
async function opener({ options, needsMigration, remove }: Place): Promise<() => AppDatabase> {
  const opened: AppDatabase[] = [];
  onTestFinished(async () => {
    await Promise.all(opened.map((database) => database.close()));
    await remove();
  });
  const open = (): AppDatabase => {
    const database = openDatabase(options);
    opened.push(database);
    return database;
  };
  if (!needsMigration) return open;
  let first: AppDatabase | undefined = open();
  await first.migrate();
  // Opening costs: the one that migrated is the first to be given out.
  return () => {
    const database = first ?? open();
    first = undefined;
    return database;
  };
}

export async function startSqliteHarness(): Promise<StorageHarness> {
  return {
    async createDatabase({ isMigrated = true } = {}) {
      const directory = await makeTemporaryDirectory();
      return opener({ options: { path: join(directory.path, "test.db") }, needsMigration: isMigrated, remove: directory.remove });
    },
    stop: async () => {},
  };
}

/** Each test's database is a copy of one that was migrated once. */
export async function startPostgresHarness(): Promise<StorageHarness> {
  const server = await startPostgres();
  const ask = (...statements: string[]) => askPostgres(`${server.adminUrl}/postgres`, statements);
  await ask("create database migrated");
  const template = openDatabase({ url: `${server.adminUrl}/migrated` });
  await template.migrate();
  await template.close();
  let count = 0;
  return {
    async createDatabase({ isMigrated = true } = {}) {
      count += 1;
      const name = `test_${count}`;
      await ask(`create database ${name} template ${isMigrated ? "migrated" : "template0"}`);
      const options = { url: `${server.adminUrl}/${name}`, poolSize: 5 };
      return opener({ options, needsMigration: false, remove: () => ask(`drop database ${name} with (force)`) });
    },
    stop: () => server.stop(),
  };
}

export async function startMariadbHarness(): Promise<StorageHarness> {
  const server = await startMariadb();
  const ask = (...statements: string[]) => askMariadb(server.adminUrl, statements);
  let count = 0;
  return {
    async createDatabase({ isMigrated = true } = {}) {
      count += 1;
      const name = `test_${count}`;
      await ask(`create database ${name}`);
      const options = { url: `${server.adminUrl}/${name}`, poolSize: 5 };
      return opener({ options, needsMigration: isMigrated, remove: () => ask(`drop database ${name}`) });
    },
    stop: () => server.stop(),
  };
}
