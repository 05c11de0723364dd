/** Sessions on PostgreSQL: the only place that loads its driver. */
import type { Pool, PoolClient } from "pg";
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

/** What the code is written for, whatever the server's own settings are. */
const SESSION_SETTINGS = [
  "set default_transaction_isolation = 'read committed'",
  "set time zone 'UTC'",
  "set standard_conforming_strings = on",
  `set lock_timeout = '${LOCK_WAIT_S}s'`,
  `set idle_in_transaction_session_timeout = '${IDLE_TRANSACTION_S}s'`,
].join("; ");

/** int8: counts and times, which stay far below 2 ** 53; the driver would give them as text. */
const INT8 = 20;
const WRITES = ["INSERT", "UPDATE", "DELETE"];

/** Connects when the first session is asked for. */
export function createPostgresPool(address: ServerAddress, options: SessionPoolOptions): SessionPool {
  let opening: Promise<Pool> | undefined;
  const prepared = new WeakSet<PoolClient>();
  return {
    async acquire() {
      opening ??= openPool(address, options);
      let client: PoolClient | undefined;
      try {
        client = await (await opening).connect();
        if (!prepared.has(client)) await client.query(SESSION_SETTINGS);
        prepared.add(client);
        return toSession(client);
      } catch (error) {
        client?.release(true);
        throw error instanceof AppError ? error : unavailable(codeOf(error), error);
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.end();
    },
  };
}

async function openPool(address: ServerAddress, { poolSize }: SessionPoolOptions): Promise<Pool> {
  const { default: pg } = await import("pg");
  const { host, port, socket, user, password, database } = address;
  const tls = await tlsOptions(address);
  const pool = new pg.Pool({
    ...{ host: socket ?? host, port, user, password, database, max: poolSize, connectionTimeoutMillis: CONNECT_TIMEOUT_MS },
    ...(tls === undefined ? { ssl: false } : { ssl: tls }),
    ...{ keepAlive: true, application_name: "openchs-ai" },
    types: { getTypeParser: (id: number, format?: "text") => (id === INT8 ? Number : pg.types.getTypeParser(id, format)) } as typeof pg.types,
  });
  // A connection that breaks while nobody asks anything of it tells this event, which ends the process when nobody listens.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function toSession(client: PoolClient): DatabaseSession {
  return {
    async run({ sql, parameters }: Statement): Promise<RowSet> {
      try {
        const { rows, command, rowCount } = await client.query<Record<string, unknown>>(sql, [...parameters]);
        return { rows: rows ?? [], changes: WRITES.includes(command) ? (rowCount ?? 0) : 0 };
      } catch (error) {
        throw toStorageError(error);
      }
    },
    release: (isBroken) => client.release(isBroken),
  };
}

/** Class 23: a constraint; class 22: a value that does not fit its column. */
function toStorageError(error: unknown): AppError {
  const code = codeOf(error);
  if (/^2[23]/.test(code)) return refused(code, error);
  if (code === "53100") return diskFull(code, error);
  return unavailable(code, error);
}
