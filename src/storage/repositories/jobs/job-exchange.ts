/** Settles finished deliveries and claims new ones in one transaction; of several processes each gets other jobs. */
import { type CompiledQuery, type ExpressionBuilder, type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { AppDatabase } from "../../database.js";
import { greaterOf, lockFreeRows } from "../../portable-sql.js";
import type { DatabaseSchema, JobTable } from "../../schema.js";
import { inRepeatedTransaction } from "../../unit-of-work.js";
import type { Claim, Settlement } from "./job-delivery.js";

type ClaimedRow = JobTable & { readonly enqueue_seq: number };

/** What a claim makes of a row, beside its lease. */
export const TAKEN_ONCE_MORE = { status: "processing", attempt: sql<number>`attempt + 1`, delivery: sql<number>`delivery + 1` } as const;

/** @returns the jobs claimed, in the order they are to run. */
export async function exchangeJobs(database: AppDatabase, settlements: readonly Settlement[], claim: Claim | undefined): Promise<readonly JobTable[]> {
  const compiled = settlements.map((settlement) => compileSettlement(database, settlement));
  if (claim === undefined) {
    await database.batch(compiled);
    return [];
  }
  const rows = database.dialect === "mysql" ? await exchangeOnMysql(database, compiled, claim) : await exchangeAtOnce(database, compiled, claim);
  // An UPDATE that answers with its rows promises no order of them.
  return [...rows].sort((a, b) => b.priority - a.priority || a.run_at_ms - b.run_at_ms || a.enqueue_seq - b.enqueue_seq);
}

async function exchangeAtOnce(database: AppDatabase, compiled: readonly CompiledQuery[], claim: Claim): Promise<readonly ClaimedRow[]> {
  const claiming = database.dialect === "postgres" ? compilePostgresClaim(database, claim) : compileSqliteClaim(database, claim);
  const results = await database.batch([...compiled, claiming]);
  return (results.at(-1)?.rows ?? []) as unknown as readonly ClaimedRow[];
}

/** No update there says which rows it changed: they are locked, then changed, then known. */
function exchangeOnMysql(database: AppDatabase, compiled: readonly CompiledQuery[], claim: Claim): Promise<readonly ClaimedRow[]> {
  return inRepeatedTransaction(database, async (transaction) => {
    for (const query of compiled) await transaction.executeQuery(query);
    const due = await lockFreeRows(database, dueJobs(transaction, claim).selectAll()).execute();
    if (due.length === 0) return [];
    const ids = due.map((row) => row.job_id);
    const lease = { status: "processing", lease_until_ms: claim.leaseUntilMs };
    await transaction
      .updateTable("job")
      .set({ ...TAKEN_ONCE_MORE, ...lease })
      .where("job_id", "in", ids)
      .execute();
    return due.map((row) => ({ ...row, ...lease, attempt: row.attempt + 1, delivery: row.delivery + 1 }));
  });
}

function dueJobs(
  db: Kysely<DatabaseSchema> | ExpressionBuilder<DatabaseSchema, "job">,
  claim: Claim,
): SelectQueryBuilder<DatabaseSchema, "job", Record<never, never>> {
  return (db as Kysely<DatabaseSchema>)
    .selectFrom("job")
    .where("queue", "=", claim.queue)
    .where("status", "=", "queued")
    .where("run_at_ms", "<=", claim.nowMs)
    .orderBy("priority", "desc")
    .orderBy("run_at_ms")
    .orderBy("enqueue_seq")
    .limit(claim.limit);
}

function compileSqliteClaim({ sql: db }: AppDatabase, claim: Claim): CompiledQuery {
  return db
    .updateTable("job")
    .set({ ...TAKEN_ONCE_MORE, lease_until_ms: claim.leaseUntilMs })
    .where("job_id", "in", (eb) => dueJobs(eb, claim).select("job_id"))
    .returningAll()
    .compile();
}

/** Materialized: as a part of the update's own plan the limited question could be asked more than once. */
function compilePostgresClaim(database: AppDatabase, claim: Claim): CompiledQuery {
  return database.sql
    .with(
      (cte) => cte("due").materialized(),
      (db) => lockFreeRows(database, dueJobs(db as unknown as Kysely<DatabaseSchema>, claim).select("job_id as due_id")),
    )
    .updateTable("job")
    .from("due")
    .set({ ...TAKEN_ONCE_MORE, lease_until_ms: claim.leaseUntilMs })
    .whereRef("job.job_id", "=", "due.due_id")
    .returningAll("job")
    .compile();
}

/** Holds only for the delivery it belongs to. */
export function compileSettlement(database: AppDatabase, settlement: Settlement): CompiledQuery {
  const { sql: db } = database;
  const delivery = db.updateTable("job").where("job_id", "=", settlement.jobId).where("delivery", "=", settlement.delivery).where("status", "=", "processing");
  if (settlement.kind === "progress") {
    return delivery.set({ progress: greaterOf(database, "progress", settlement.progress), step: settlement.step }).compile();
  }
  if (settlement.kind === "requeued") {
    // Another process may have asked to cancel it meanwhile: then it does not come back.
    const unlessCancelled = <T>(value: T, otherwise: T) => sql<T>`case when cancel_requested = 1 then ${otherwise} else ${value} end`;
    return delivery
      .set({
        status: unlessCancelled("queued", "cancelled"),
        lease_until_ms: null,
        run_at_ms: settlement.runAtMs,
        error_code: unlessCancelled(settlement.errorCode, "QUEUE_JOB_CANCELLED"),
        // A running job has none; named so that the database knows the type of the other.
        finished_at_ms: sql<number | null>`case when cancel_requested = 1 then ${settlement.atMs} else finished_at_ms end`,
        ...(settlement.spendsAttempt ? {} : { attempt: sql<number>`attempt - 1` }),
        ...(settlement.queue === undefined ? {} : { queue: settlement.queue }),
      })
      .compile();
  }
  return delivery
    .set({
      status: settlement.status,
      lease_until_ms: null,
      error_code: settlement.errorCode,
      finished_at_ms: settlement.atMs,
      ...(settlement.status === "completed" ? { progress: 100 } : {}),
    })
    .compile();
}
