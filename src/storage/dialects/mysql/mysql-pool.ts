/** Sessions on MariaDB or MySQL: the only place that loads their driver. */
import { isIP } from "node:net";
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { AppError } from "../../../core/errors.js";
import { type ServerAddress, tlsOptions } from "../server/server-address.js";
import {
  CONNECT_TIMEOUT_MS,
  codeOf,
  type DatabaseSession,
  diskFull,
  IDLE_TRANSACTION_S,
  LOCK_WAIT_S,
  refused,
  type SessionPool,
  type SessionPoolOptions,
  unavailable,
} from "../server/session-pool.js";
import type { RowSet, Statement } from "../statement.js";

/** Which of the two answers; known once a session is open. */
export interface ServerKind {
  isMariaDb: boolean;
}

/**
 * What the code is written for, whatever the server's own settings are. READ COMMITTED: a row that was waited for is read
 * as it is then, and no gap between rows is locked. No NO_BACKSLASH_ESCAPES: the driver escapes with backslashes.
 */
const SESSION_SETTINGS = [
  "transaction_isolation = 'READ-COMMITTED'",
  "time_zone = '+00:00'",
  "sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'",
  `innodb_lock_wait_timeout = ${LOCK_WAIT_S}`,
  // Words that are indexed are digests; none is without meaning.
  "innodb_ft_enable_stopword = 0",
];
const CONFLICTS = [
  ...["ER_DUP_ENTRY", "ER_NO_REFERENCED_ROW", "ER_NO_REFERENCED_ROW_2", "ER_ROW_IS_REFERENCED", "ER_ROW_IS_REFERENCED_2", "ER_BAD_NULL_ERROR"],
  ...["ER_DATA_TOO_LONG", "ER_WARN_DATA_OUT_OF_RANGE", "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", "ER_CONSTRAINT_FAILED", "ER_NO_DEFAULT_FOR_FIELD"],
];
const FULL = ["ER_DISK_FULL", "ER_RECORD_FILE_FULL"];

/** Connects when the first session is asked for, and then fills in `kind`. */
export function createMysqlPool(address: ServerAddress, options: SessionPoolOptions, kind: ServerKind): SessionPool {
  let opening: Promise<Pool> | undefined;
  const prepared = new WeakSet<object>();
  return {
    async acquire() {
      opening ??= openPool(address, options);
      let connection: PoolConnection | undefined;
      try {
        connection = await (await opening).getConnection();
        if (!prepared.has(connection.connection)) await prepare(connection, kind);
        prepared.add(connection.connection);
        return toSession(connection);
      } catch (error) {
        connection?.destroy();
        throw error instanceof AppError ? error : unavailable(codeOf(error), error);
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.end();
    },
  };
}

async function openPool(address: ServerAddress, { poolSize }: SessionPoolOptions): Promise<Pool> {
  const { createPool } = await import("mysql2/promise");
  const { host, port, socket, user, password, database } = address;
  const tls = await tlsOptions(address);
  if (address.tlsMode === "verify-full" && isIP(host) !== 0) {
    // The driver would compare the certificate with "localhost".
    throw new AppError("CONFIG_INVALID", "The database URL can't be used: verify-full needs the server's name there, not its address.");
  }
  return createPool({
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    ...{ user, password, database, connectionLimit: poolSize, connectTimeout: CONNECT_TIMEOUT_MS, charset: "utf8mb4_bin" },
    ...{ supportBigNumbers: true, decimalNumbers: true, stringifyObjects: true },
    ...(tls === undefined ? {} : { ssl: { ...tls, verifyIdentity: address.tlsMode === "verify-full" } as object }),
  });
}

async function prepare(connection: PoolConnection, kind: ServerKind): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>("select version() as version");
  kind.isMariaDb = /mariadb/i.test(String(rows[0]?.["version"]));
  const settings = kind.isMariaDb
    ? [...SESSION_SETTINGS.map((line) => line.replace("transaction_isolation", "tx_isolation")), `idle_transaction_timeout = ${IDLE_TRANSACTION_S}`]
    : SESSION_SETTINGS;
  await connection.query(`set ${settings.map((line) => `session ${line}`).join(", ")}`);
}

function toSession(connection: PoolConnection): DatabaseSession {
  return {
    async run({ sql, parameters }: Statement): Promise<RowSet> {
      try {
        const [result] = await connection.query<RowDataPacket[] | ResultSetHeader>(sql, [...parameters]);
        return Array.isArray(result) ? { rows: result, changes: 0 } : { rows: [], changes: result.affectedRows };
      } catch (error) {
        throw toStorageError(error);
      }
    },
    release: (isBroken) => (isBroken ? connection.destroy() : connection.release()),
  };
}

function toStorageError(error: unknown): AppError {
  const code = codeOf(error);
  if (CONFLICTS.includes(code)) return refused(code, error);
  if (FULL.includes(code)) return diskFull(code, error);
  return unavailable(code, error);
}
