/** Contract of a dialect: one kind of database, opened, with what differs between them said in data. */
import type { Dialect } from "kysely";
import type { ColumnTypes } from "./column-types.js";
import type { RowSet, Statement } from "./statement.js";

/** `mysql` is MariaDB, and MySQL as far as they agree. */
export type DialectName = "sqlite" | "postgres" | "mysql";

export interface OpenDialectOptions {
  /** Connections at most; SQLite has one. */
  readonly poolSize?: number;
  readonly onStatement?: (kind: "query" | "batch" | "replica", durationMs: number) => void;
}

export interface DatabaseDialect {
  readonly name: DialectName;
  readonly kysely: Dialect;
  readonly columnTypes: ColumnTypes;
  /** One transaction, one commit. Nothing else happens in it, so it may be run again when the database asks for that. */
  batch(statements: readonly Statement[]): Promise<readonly RowSet[]>;
  close(): Promise<void>;
}
