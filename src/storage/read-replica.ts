/**
 * A copy of the database that PostgreSQL's streaming replication keeps: lists, searches and statistics are read from it once it
 * holds everything that was committed when they were asked for, so that whoever wrote finds what they wrote.
 */
import { Kysely, sql } from "kysely";
import { AppError } from "../core/errors.js";
import type { DatabaseDialect } from "./dialects/database-dialect.js";
import type { DatabaseSchema } from "./schema.js";

export interface ReadReplica {
  /** Whatever keeps the replica from answering, the database itself answers. */
  read<T>(work: (executor: Kysely<DatabaseSchema>) => Promise<T>): Promise<T>;
  /** @returns whether it answers. @throws AppError `CONFIG_INVALID` where it is no copy of the database */
  verify(): Promise<boolean>;
  close(): Promise<void>;
}

/** It is given so long to catch up; a copy of a healthy database is milliseconds behind. */
const CATCH_UP_MS = 100;
const LOOK_EVERY_MS = 5;
/** One that does not even answer by then is left alone for a while. */
const ANSWER_MS = 1_000;
const LEFT_ALONE_MS = 10_000;

const IDENTITY = sql<{ id: string }>`select system_identifier::text || '/' || current_database() as id from pg_control_system()`;
/** What commits have reached, with synchronous_commit as it is by default. */
const COMMITTED = sql<{ lsn: string }>`select pg_current_wal_flush_lsn()::text as lsn`;

export function createReadReplica(primary: Kysely<DatabaseSchema>, dialect: DatabaseDialect): ReadReplica {
  const replica = new Kysely<DatabaseSchema>({ dialect: dialect.kysely });
  let leftAloneUntilMs = Number.NEGATIVE_INFINITY;
  const leaveAlone = (): void => {
    leftAloneUntilMs = performance.now() + LEFT_ALONE_MS;
  };
  const hasCaughtUp = async (): Promise<boolean> => {
    const { rows } = await COMMITTED.execute(primary);
    const holds = sql<{ holds: boolean }>`select pg_last_wal_replay_lsn() >= ${rows[0]?.lsn ?? ""}::pg_lsn as holds`;
    const startedAtMs = performance.now();
    while (performance.now() - startedAtMs < CATCH_UP_MS) {
      const { rows: found } = await holds.execute(replica);
      if (found[0]?.holds === true) return true;
      await new Promise((looked) => setTimeout(looked, LOOK_EVERY_MS));
    }
    return false;
  };
  return {
    async read(work) {
      if (performance.now() < leftAloneUntilMs) return work(primary);
      const caughtUp = await withinAnswerTime(hasCaughtUp()).catch(leaveAlone);
      if (caughtUp !== true) return work(primary);
      // A query may be cut short by what is replayed; and one that fails for another reason fails again.
      return work(replica).catch(() => work(primary));
    },
    async verify() {
      const { rows: ours } = await IDENTITY.execute(primary);
      const theirs = await withinAnswerTime(IDENTITY.execute(replica)).catch(leaveAlone);
      if (theirs === undefined) return false;
      if (theirs.rows[0]?.id !== ours[0]?.id) {
        throw new AppError("CONFIG_INVALID", "DATABASE_READ_URL names another database than a copy of DATABASE_URL; make one by streaming replication.");
      }
      return true;
    },
    close: () => dialect.close(),
  };
}

async function withinAnswerTime<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError("STORAGE_UNAVAILABLE", "The replica does not answer.", { retryable: true })), ANSWER_MS);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
