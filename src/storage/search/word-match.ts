/** How each database is asked for texts with certain words. */
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { AppDatabase } from "../database.js";
import type { WordIndex } from "../migrations/column-types.js";

/** Over a `wordIndex`. Words are letters alone, which mean nothing else in any of the three languages. */
export function hasWords({ dialect }: AppDatabase, { table, key, column }: WordIndex, words: readonly string[]): RawBuilder<SqlBool> {
  const indexed = sql.ref(`${table}.${column}`);
  if (dialect === "postgres") return sql<SqlBool>`to_tsvector('simple', ${indexed}) @@ to_tsquery('simple', ${words.join(" & ")})`;
  if (dialect === "mysql") return sql<SqlBool>`match(${indexed}) against (${words.map((word) => `+${word}`).join(" ")} in boolean mode)`;
  const index = sql.ref(`${table}_index`);
  return sql<SqlBool>`${sql.ref(`${table}.${key}`)} in (select rowid from ${index} where ${index} match ${words.join(" ")})`;
}
