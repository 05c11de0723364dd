/**
 * Every row of the database as it was at one moment, in a form that any kind of database takes: lines of JSON, the first
 * with the names of the columns. What is sealed stays sealed.
 */
import { type Kysely, sql } from "kysely";
import type { AppDatabase } from "../database.js";
import { BACKED_UP_TABLES, type BackedUpTable } from "./database-tables.js";

export type DumpedRow = Readonly<Record<string, string | number | null>>;

export interface DumpedTable {
  readonly name: string;
  /** In the order of the table's key, a page at a time. */
  rows(): AsyncIterable<readonly DumpedRow[]>;
}

const PAGE_ROWS = 1_000;
type LooseDatabase = Kysely<Record<string, Record<string, unknown>>>;

/** Others may go on writing meanwhile; what they write is not in it. `work` reads the tables one after the other. */
export function readSnapshot<T>(database: AppDatabase, work: (tables: readonly DumpedTable[], migrations: readonly string[]) => Promise<T>): Promise<T> {
  return database.sql.connection().execute(async (connection) => {
    await beginSnapshot(database, connection as unknown as LooseDatabase);
    try {
      const loose = connection as unknown as LooseDatabase;
      const applied = await loose.selectFrom("kysely_migration").select("name").orderBy("name").execute();
      const tables = BACKED_UP_TABLES.map((table) => ({ name: table.name, rows: () => readTable(loose, table) }));
      return await work(
        tables,
        applied.map(({ name }) => String(name)),
      );
    } finally {
      await sql`rollback`.execute(connection);
    }
  });
}

async function beginSnapshot({ dialect }: AppDatabase, connection: LooseDatabase): Promise<void> {
  if (dialect === "postgres") await sql`begin isolation level repeatable read read only`.execute(connection);
  else if (dialect === "sqlite") await sql`begin`.execute(connection);
  else {
    await sql`set transaction isolation level repeatable read`.execute(connection);
    await sql`start transaction with consistent snapshot`.execute(connection);
  }
}

async function* readTable(connection: LooseDatabase, { name, key, countedColumn }: BackedUpTable): AsyncIterable<readonly DumpedRow[]> {
  let last: DumpedRow | undefined;
  const [first, second] = key;
  do {
    let query = connection.selectFrom(name).selectAll();
    if (last !== undefined) {
      const after = last[first];
      query = query.where(first, second === undefined ? ">" : ">=", after);
      // With the line above a range of the index, which `(a, b) > (x, y)` is not on every database.
      if (second !== undefined) query = query.where((eb) => eb.or([eb(first, ">", after), eb(second, ">", last?.[second])]));
    }
    for (const column of key) query = query.orderBy(column);
    const page = (await query.limit(PAGE_ROWS).execute()) as DumpedRow[];
    last = page.length < PAGE_ROWS ? undefined : page.at(-1);
    if (page.length > 0) yield countedColumn === undefined ? page : page.map(({ [countedColumn]: _counted, ...row }) => row);
  } while (last !== undefined);
}
