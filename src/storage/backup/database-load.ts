/** Puts the rows of a backup into an empty database, all of them or none. */
import type { Kysely } from "kysely";
import { AppError } from "../../core/errors.js";
import type { AppDatabase } from "../database.js";
import { knownMigrations } from "../migrator.js";
import type { DumpedRow } from "./database-dump.js";
import { BACKED_UP_TABLES } from "./database-tables.js";

export interface LoadedTable {
  readonly name: string;
  rows(): AsyncIterable<readonly DumpedRow[]>;
}

/** Of an insert: more parameters than some databases take would come with it. */
const INSERTED_AT_ONCE = 200;
type LooseDatabase = Kysely<Record<string, Record<string, unknown>>>;

/**
 * Makes the schema that the backup was made with, loads, and brings it up to this program's.
 *
 * @throws AppError `STORAGE_SCHEMA_NEWER`; `STORAGE_NOT_EMPTY` when there is anything in the database
 */
export async function loadDatabase(database: AppDatabase, migrations: readonly string[], tables: readonly LoadedTable[]): Promise<void> {
  const known = knownMigrations();
  const names = BACKED_UP_TABLES.map(({ name }) => name as string);
  if (migrations.some((name) => !known.includes(name)) || tables.some(({ name }) => !names.includes(name))) {
    throw new AppError("STORAGE_SCHEMA_NEWER", "This backup was made by a newer version of openchs-ai. Restore it with that version.");
  }
  const last = migrations.at(-1);
  await refuseData(database, last);
  await database.migrate(last === undefined ? {} : { upTo: last });
  await database.sql.transaction().execute(async (transaction) => {
    for (const { name, rows } of tables) {
      for await (const page of rows()) {
        for (let from = 0; from < page.length; from += INSERTED_AT_ONCE) {
          await (transaction as unknown as LooseDatabase)
            .insertInto(name)
            .values(page.slice(from, from + INSERTED_AT_ONCE))
            .execute();
        }
      }
    }
  });
  await database.migrate();
}

async function refuseData(database: AppDatabase, lastMigration: string | undefined): Promise<void> {
  const existing = (await database.sql.introspection.getTables({ withInternalKyselyTables: true })).map(({ name }) => name);
  const applied = existing.includes("kysely_migration")
    ? await (database.sql as unknown as LooseDatabase).selectFrom("kysely_migration").select("name").execute()
    : [];
  if (applied.some(({ name }) => String(name) > (lastMigration ?? ""))) throw notEmpty();
  for (const { name } of BACKED_UP_TABLES) {
    if (!existing.includes(name)) continue;
    const row = await (database.sql as unknown as LooseDatabase).selectFrom(name).selectAll().limit(1).executeTakeFirst();
    if (row === undefined) continue;
    throw notEmpty();
  }
}

function notEmpty(): AppError {
  return new AppError("STORAGE_NOT_EMPTY", "There are tables or data in this database already. Restore into an empty one; nothing was changed.");
}
