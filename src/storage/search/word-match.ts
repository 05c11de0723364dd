/** How each database is asked for texts with certain words. */
import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { SearchTerm } from "../../core/text/search-terms.js";
import type { AppDatabase } from "../database.js";
import type { WordIndex } from "../migrations/column-types.js";

/** Over a `wordIndex`. Terms are letters and digits, which mean nothing else in any of the three languages. */
export function hasWords({ dialect }: AppDatabase, { table, key, column }: WordIndex, terms: readonly SearchTerm[]): RawBuilder<SqlBool> {
  const indexed = sql.ref(`${table}.${column}`);
  const query = (write: (term: SearchTerm) => string, between: string): string => terms.map(write).join(between);
  if (dialect === "postgres") {
    const asked = query(({ text, isPrefix }) => `'${text}'${isPrefix ? ":*" : ""}`, " & ");
    return sql<SqlBool>`to_tsvector('simple', ${indexed}) @@ to_tsquery('simple', ${asked})`;
  }
  if (dialect === "mysql")
    return sql<SqlBool>`match(${indexed}) against (${query(({ text, isPrefix }) => `+${text}${isPrefix ? "*" : ""}`, " ")} in boolean mode)`;
  const index = sql.ref(`${table}_index`);
  const asked = query(({ text, isPrefix }) => `"${text}"${isPrefix ? " *" : ""}`, " ");
  return sql<SqlBool>`${sql.ref(`${table}.${key}`)} in (select rowid from ${index} where ${index} match ${asked})`;
}
