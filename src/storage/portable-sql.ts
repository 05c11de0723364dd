/** The few statements that the databases do not write alike. */
import { CompiledQuery, type InsertObject, type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import { AppError } from "../core/errors.js";
import type { AppDatabase } from "./database.js";
import type { DatabaseSchema } from "./schema.js";
import { executorOf, type UnitOfWork } from "./unit-of-work.js";

type TableName = keyof DatabaseSchema & string;
type Row<Table extends TableName> = InsertObject<DatabaseSchema, Table>;

/** Builders of tables known only by their type parameter are more than the compiler works out; names are checked above. */
type LooseDatabase = Kysely<{ any_table: Record<string, unknown> }>;

export interface RowWrite<Table extends TableName> {
  readonly table: Table;
  /** The columns of the row that tell it from others. */
  readonly key: readonly (keyof Row<Table> & string)[];
  readonly row: Row<Table>;
}

/**
 * Every insert of one row has the same text: it is built once, where something waits for it.
 *
 * @param build - the insert of a row; what it adds to the values has no parameters. All rows have the columns of the first.
 */
export function compileOnce<Row extends object>(build: (row: Row) => { compile(): CompiledQuery }): (row: Row) => CompiledQuery {
  let template: { readonly text: string; readonly columns: readonly (keyof Row)[] } | undefined;
  return (row) => {
    template ??= { text: build(row).compile().sql, columns: Object.keys(row) as (keyof Row)[] };
    return CompiledQuery.raw(
      template.text,
      template.columns.map((column) => row[column]),
    );
  };
}

/** Leaves a row with the same key as it is. @returns false when there was one */
export async function insertIfAbsent<Table extends TableName>(
  database: AppDatabase,
  executor: Kysely<DatabaseSchema>,
  { table, key, row }: RowWrite<Table>,
): Promise<boolean> {
  const insert = (executor as unknown as LooseDatabase).insertInto(table as "any_table").values(row as Record<string, unknown>);
  if (database.dialect !== "mysql") {
    const result = await insert.onConflict((conflict) => conflict.columns([...key]).doNothing()).executeTakeFirst();
    return result.numInsertedOrUpdatedRows === 1n;
  }
  // `insert ignore` would ignore a missing parent row as well.
  try {
    await insert.execute();
    return true;
  } catch (error) {
    if (error instanceof AppError && error.details["driverCode"] === "ER_DUP_ENTRY") return false;
    throw error;
  }
}

/** Inserts, or changes every other column of the row with the same key. */
export async function upsert<Table extends TableName>(
  database: AppDatabase,
  executor: Kysely<DatabaseSchema>,
  { table, key, row }: RowWrite<Table>,
): Promise<void> {
  const values = row as Record<string, unknown>;
  const change = Object.fromEntries(Object.entries(values).filter(([column]) => !(key as readonly string[]).includes(column)));
  const insert = (executor as unknown as LooseDatabase).insertInto(table as "any_table").values(values);
  const query =
    database.dialect === "mysql" ? insert.onDuplicateKeyUpdate(change) : insert.onConflict((conflict) => conflict.columns([...key]).doUpdateSet(change));
  await query.execute();
}

/** The greater of a column and a number. */
export function greaterOf({ dialect }: AppDatabase, column: string, value: number): RawBuilder<number> {
  return dialect === "sqlite" ? sql<number>`max(${sql.ref(column)}, ${value})` : sql<number>`greatest(${sql.ref(column)}, ${value})`;
}

/**
 * Keeps the rows read to this transaction until it ends: what is decided on them still holds when it is written. SQLite has
 * one writer at a time and needs no such thing.
 */
export function lockRows<DB, TB extends keyof DB, O>({ dialect }: AppDatabase, query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
  if (dialect === "sqlite") return query;
  // Rows that refer to a locked one may still be inserted on PostgreSQL, which has a lock for that.
  return dialect === "postgres" ? query.forNoKeyUpdate() : query.forUpdate();
}

/** As `lockRows`, and leaves out what others have locked. */
export function lockFreeRows<DB, TB extends keyof DB, O>(database: AppDatabase, query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O> {
  return database.dialect === "sqlite" ? query : lockRows(database, query).skipLocked();
}

/**
 * Makes others wait who write to the same call. Locking it before its parts are written keeps two of them from waiting for
 * each other: a part refers to its call, which holds the call's row a little, and then more of it would be needed.
 */
export async function lockCall(database: AppDatabase, callId: string, unitOfWork: UnitOfWork | undefined): Promise<void> {
  if (database.dialect === "sqlite" || unitOfWork === undefined) return;
  const query = executorOf(database, unitOfWork).selectFrom("call").select("call_id").where("call_id", "=", callId);
  await lockRows(database, query).execute();
}
