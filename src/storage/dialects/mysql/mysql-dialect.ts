/** MariaDB 10.6 and later; MySQL 8 as far as it agrees with it, which nobody has tried. */
import {
  type AddColumnNode,
  type ColumnDefinitionNode,
  type CreateIndexNode,
  type CreateTableNode,
  ForeignKeyConstraintNode,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
} from "kysely";
import type { DatabaseDialect, OpenDialectOptions } from "../database-dialect.js";
import { parseServerAddress } from "../server/server-address.js";
import { ServerDriver, ServerSessions } from "../server/server-driver.js";
import { DEFAULT_POOL_SIZE } from "../server/session-pool.js";
import { createMysqlPool, type ServerKind } from "./mysql-pool.js";

/** Does not connect yet. @throws AppError `CONFIG_INVALID` */
export function openMysql(url: string, { poolSize = DEFAULT_POOL_SIZE, onStatement }: OpenDialectOptions): DatabaseDialect {
  const kind: ServerKind = { isMariaDb: true };
  const sessions = new ServerSessions(createMysqlPool(parseServerAddress(url, 3306), { poolSize }, kind), onStatement);
  return {
    name: "mysql",
    kysely: {
      createAdapter: () => new MysqlAdapter(),
      createDriver: () => new ServerDriver(sessions),
      createIntrospector: (db) => new MysqlIntrospector(db),
      createQueryCompiler: () => new TableCompiler(kind),
    },
    columnTypes: {
      longText: "longtext",
      countedKey: "bigint not null auto_increment primary key",
      numberKey: "bigint primary key",
      // Which server it is, is known by then.
      wordIndex: ({ table, column }) => [`create fulltext index ${kind.isMariaDb ? "if not exists " : ""}${table}_index on ${table} (${column})`],
      rowOrder: ["created_at_ms", "job_id"],
      hasPartialIndexes: false,
    },
    batch: (statements) => sessions.batch(statements),
    close: () => sessions.close(),
  };
}

/** Makes of our migrations what these servers need to mean the same by them. */
class TableCompiler extends MysqlQueryCompiler {
  readonly #kind: ServerKind;

  constructor(kind: ServerKind) {
    super();
    this.#kind = kind;
  }

  /** Texts compare by their bytes, trailing spaces included, and take every character; whatever the database was made with. */
  protected override visitCreateTable(node: CreateTableNode): void {
    super.visitCreateTable({ ...withForeignKeys(node), ifNotExists: this.#kind.isMariaDb });
    const collation = this.#kind.isMariaDb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
    this.append(` engine=InnoDB row_format=dynamic default character set utf8mb4 collate ${collation}`);
  }

  // Each of these commits by itself here: a migration that was interrupted finds what it made before.
  protected override visitCreateIndex(node: CreateIndexNode): void {
    super.visitCreateIndex({ ...node, ifNotExists: this.#kind.isMariaDb });
  }

  protected override visitAddColumn(node: AddColumnNode): void {
    super.visitAddColumn({ ...node, column: { ...node.column, ifNotExists: this.#kind.isMariaDb } });
  }
}

/** MySQL reads `references` in the line of a column and does nothing about it, so it becomes a line of its own. */
function withForeignKeys(node: CreateTableNode): CreateTableNode {
  const keys = node.columns.flatMap((column) => foreignKeyOf(column) ?? []);
  const columns = node.columns.map(({ references: _, ...column }): ColumnDefinitionNode => column);
  return { ...node, columns, constraints: [...(node.constraints ?? []), ...keys] };
}

function foreignKeyOf({ column, references }: ColumnDefinitionNode): ForeignKeyConstraintNode | undefined {
  if (references === undefined) return undefined;
  const key = ForeignKeyConstraintNode.create([column], references.table, references.columns);
  return { ...key, ...(references.onDelete === undefined ? {} : { onDelete: references.onDelete }) };
}
