/** Backups of the database: every row of every table, from this kind of database into another and back. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type DumpedRow, readSnapshot } from "../../src/storage/backup/database-dump.js";
import { loadDatabase } from "../../src/storage/backup/database-load.js";
import { BACKED_UP_TABLES } from "../../src/storage/backup/database-tables.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import type { StorageOfTest } from "./storage-contract.js";

type Rows = Readonly<Record<string, readonly DumpedRow[]>>;
/** More than a page of any table, and not a whole number of pages. */
const ROWS = 1_205;
const idOf = (index: number): string => `id-${String(index).padStart(5, "0")}`;

/** Rows for every column there is, with the same ids in every table, so that what refers to another row finds it. */
async function fill(database: AppDatabase): Promise<Rows> {
  const filled: Record<string, DumpedRow[]> = {};
  const tables = await database.sql.introspection.getTables();
  for (const { name, key, countedColumn } of BACKED_UP_TABLES) {
    const columns = (tables.find((table) => table.name === name)?.columns ?? []).filter((column) => column.name !== countedColumn);
    filled[name] = Array.from({ length: ROWS }, (_, index) =>
      Object.fromEntries(
        columns.map((column) => {
          if (/int|double|float|real/i.test(column.dataType)) return [column.name, index];
          // Many rows under one first column, where there are two.
          if (column.name === key[0] && key.length === 2) return [column.name, idOf(index % 7)];
          return [column.name, column.name.endsWith("_id") ? idOf(index) : `é${index}`];
        }),
      ),
    );
    for (let from = 0; from < ROWS; from += 100) {
      await (database.sql as unknown as { insertInto(table: string): { values(rows: readonly DumpedRow[]): { execute(): Promise<unknown> } } })
        .insertInto(name)
        .values(filled[name].slice(from, from + 100))
        .execute();
    }
  }
  return filled;
}

async function dump(database: AppDatabase): Promise<{ readonly rows: Rows; readonly migrations: readonly string[] }> {
  return readSnapshot(database, async (tables, migrations) => {
    const rows: Record<string, DumpedRow[]> = {};
    for (const table of tables) {
      rows[table.name] = [];
      for await (const page of table.rows()) rows[table.name]?.push(...page);
    }
    return { rows, migrations };
  });
}

async function load(database: AppDatabase, { rows, migrations }: Awaited<ReturnType<typeof dump>>): Promise<void> {
  const tables = Object.entries(rows).map(([name, all]) => ({
    name,
    async *rows() {
      yield all;
    },
  }));
  await loadDatabase(database, migrations, tables);
}

async function openSqlite(): Promise<AppDatabase> {
  const directory = await makeTemporaryDirectory();
  const database = openDatabase({ path: `${directory.path}/other.db` });
  onTestFinished(async () => {
    await database.close();
    await directory.remove();
  });
  return database;
}

const sorted = (rows: Rows): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(rows).map(([name, all]) => [name, all.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort()]),
  );

export function describeBackup({ createDatabase, openParts }: StorageOfTest): void {
  describe("a backup of the database", () => {
    it("has every table there is", async () => {
      const { database } = await openParts();
      // SQLite keeps a word index in tables of its own, and fills it again from the rows.
      const ofOthers = /^(?:kysely_|call_text_index)/;
      const names = (await database.sql.introspection.getTables()).map(({ name }) => name).filter((name) => !ofOthers.test(name));
      expect(BACKED_UP_TABLES.map(({ name }) => name as string).sort()).toEqual(names.sort());
    });

    it("goes into SQLite and back with every row as it was", async () => {
      const { database } = await openParts();
      const filled = await fill(database);
      const dumped = await dump(database);
      expect(sorted(dumped.rows)).toEqual(sorted(filled));
      const other = await openSqlite();
      await load(other, dumped);
      const back = (await createDatabase({ isMigrated: false }))();
      await load(back, await dump(other));
      const restored = await dump(back);
      expect(sorted(restored.rows)).toEqual(sorted(filled));
      // Jobs come in the order they came in.
      expect(restored.rows["job"]?.map((row) => row["job_id"])).toEqual(filled["job"]?.map((row) => row["job_id"]));
    });

    it("is as the database was at its beginning, whatever is written meanwhile", async () => {
      const parts = await openParts();
      const { callId } = await parts.insertCall();
      const seen = await readSnapshot(parts.database, async (tables) => {
        // SQLite has one connection in a process: what another process writes is for its own test.
        if (parts.database.dialect !== "sqlite") await parts.insertCall();
        const pages: DumpedRow[] = [];
        for await (const page of tables.find(({ name }) => name === "call")?.rows() ?? []) pages.push(...page);
        return pages.map((row) => row["call_id"]);
      });
      expect(seen).toEqual([callId]);
    });

    it("does not go where there is anything already, and changes nothing there", async () => {
      const [from, to] = [await openParts(), await openParts()];
      await from.insertCall();
      const { callId } = await to.insertCall();
      await expect(load(to.database, await dump(from.database))).rejects.toMatchObject({ code: "STORAGE_NOT_EMPTY" });
      expect((await dump(to.database)).rows["call"]?.map((row) => row["call_id"])).toEqual([callId]);
    });

    it("of a newer program is refused", async () => {
      const dumped = await dump((await openParts()).database);
      const empty = (await createDatabase({ isMigrated: false }))();
      await expect(load(empty, { ...dumped, migrations: [...dumped.migrations, "9999-from-the-future"] })).rejects.toMatchObject({
        code: "STORAGE_SCHEMA_NEWER",
      });
    });

    it("that can't be loaded to its end leaves no row behind", async () => {
      const { database, insertCall } = await openParts();
      await insertCall();
      const { rows, migrations } = await dump(database);
      const empty = (await createDatabase({ isMigrated: false }))();
      const orphan = { call_id: "no-such-call", stream_id: "s", channel: "caller" };
      await expect(load(empty, { rows: { call: rows["call"] ?? [], call_leg: [orphan] }, migrations })).rejects.toThrow();
      expect((await dump(empty)).rows["call"]).toEqual([]);
    });
  });
}
