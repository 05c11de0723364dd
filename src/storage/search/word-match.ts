/** How each database is asked for texts with certain words. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from "kysely";
import type { AppDatabase } from "../database.js";
import type { WordIndex } from "../dialects/column-types.js";
import type { DatabaseSchema } from "../schema.js";

/** Over a `wordIndex`, in `searchWords`. Words are letters alone, which mean nothing else in any of the three languages. */
export function hasWords({ dialect }: AppDatabase, { table, key, column }: WordIndex, words: readonly string[]): RawBuilder<SqlBool> {
  const [indexed, keys] = [sql.ref(`${table}.${column}`), sql.ref(`${table}.${key}`)];
  if (dialect === "mysql") return sql<SqlBool>`match(${indexed}) against (${words.map((word) => `+${word}`).join(" ")} in boolean mode)`;
  if (dialect === "sqlite") {
    const index = sql.ref(`${table}_index`);
    return sql<SqlBool>`${keys} in (select rowid from ${index} where ${index} match ${words.join(" ")})`;
  }
  // Materialized: else texts may be looked at one by one, in the order asked for, which is slow where few have the words.
  const matched = sql`select ${keys} as matched_key from ${sql.table(table)} where to_tsvector('simple', ${indexed}) @@ to_tsquery('simple', ${words.join(" & ")})`;
  return sql<SqlBool>`${keys} in (with matched as materialized (${matched}) select matched_key from matched)`;
}

/** Without an index, text by text. Words are all of one length, with blanks between: none is found across two others. */
export function containsWords(column: string, words: readonly string[]): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.join(
    words.map((word) => sql`instr(cast(${sql.ref(column)} as binary), ${word}) > 0`),
    sql` and `,
  )}`;
}

/** Asks by the index. PostgreSQL would rather read every text where many have a word: it does not count what long texts cost. */
export function searchWords<T>({ dialect, read }: AppDatabase, search: (executor: Kysely<DatabaseSchema>) => Promise<T>): Promise<T> {
  if (dialect !== "postgres") return read(search);
  return read((executor) =>
    executor.transaction().execute(async (transaction) => {
      await sql`set local enable_seqscan = off`.execute(transaction);
      return search(transaction);
    }),
  );
}
