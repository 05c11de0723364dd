/**
 * The job table. Claims and settlements go through `exchange`: one transaction, one commit, so that the embedded queue
 * pays one disk sync for many jobs. A settlement holds only for the delivery it belongs to, so a worker that lost its
 * lease cannot settle a job another one is running.
 */
import { type SqlBool, sql, type UpdateObject } from "kysely";
import type { AppDatabase } from "../database.js";
import { lockFreeRows, lockRows } from "../portable-sql.js";
import type { DatabaseSchema, JobTable } from "../schema.js";
import { executorOf, inRepeatedTransaction, type UnitOfWork } from "../unit-of-work.js";
import type { Claim, Delivery, Settlement } from "./jobs/job-delivery.js";
import { exchangeJobs } from "./jobs/job-exchange.js";
import { createJobInsert } from "./jobs/job-insert.js";

export type { Claim, Delivery, Settlement } from "./jobs/job-delivery.js";
export type JobRow = JobTable;

export interface RecoveryOptions {
  readonly nowMs: number;
  /** Recover every running job, not only those whose lease ran out: right when no other process can hold one. */
  readonly all: boolean;
  readonly maxStalls: number;
  /** Running in this process, whatever the clock says of their leases. */
  readonly runningHere: readonly string[];
  /** A retry that is due later than this from now was dated by a clock that has been set back. */
  readonly maxRetryDelayMs: number;
}

export interface JobRepository {
  /** Inserts; rows whose idempotency key is taken are left out. Returns the ids inserted or already there, in order. */
  insert(rows: readonly JobRow[], unitOfWork?: UnitOfWork): Promise<readonly { readonly jobId: string; readonly isDuplicate: boolean }[]>;
  exchange(settlements: readonly Settlement[], claim: Claim | undefined): Promise<readonly JobRow[]>;
  /** Extends leases; returns the ids that are still ours, with whether someone asked to cancel them. */
  renewLeases(deliveries: readonly Delivery[], leaseUntilMs: number): Promise<ReadonlyMap<string, boolean>>;
  /** Gives stalled jobs back; those ended for good (too many stalls, or cancelled) are returned. */
  recoverStalled(options: RecoveryOptions): Promise<{ readonly requeued: number; readonly ended: readonly JobRow[] }>;
  nextRunAtMs(queue: string): Promise<number | null>;
  find(jobId: string): Promise<JobRow | undefined>;
  /** @param queue - that it was enqueued in */
  findByKey(queue: string, idempotencyKey: string): Promise<JobRow | undefined>;
  /** Cancels a queued job or marks a running one; returns the status before. */
  requestCancel(jobId: string, atMs: number): Promise<string | undefined>;
  countByStatus(queue: string, nowMs: number): Promise<ReadonlyMap<string, number>>;
  list(filter: JobFilter): Promise<readonly JobRow[]>;
  /** Queues a dead job again with all its attempts; false when it is not dead. */
  retryDead(jobId: string): Promise<boolean>;
  removeDead(jobId: string): Promise<boolean>;
  /** Removes jobs that have ended; others stay. */
  removeEnded(jobIds: readonly string[], unitOfWork?: UnitOfWork): Promise<void>;
}

export interface JobFilter {
  readonly queue?: string;
  readonly jobName?: string;
  readonly statuses: readonly string[];
  /** Only jobs older than this one: where the page before ended. */
  readonly beforeJobId?: string;
  readonly limit: number;
}

/** `insert` joins a given unit of work; every other method is its own transaction. */
export function createJobRepository(options: { readonly database: AppDatabase }): JobRepository {
  const { database } = options;
  const db = database.sql;
  return {
    insert: createJobInsert(database),
    exchange: (settlements, claim) => exchangeJobs(database, settlements, claim),
    renewLeases: (deliveries, leaseUntilMs) => renewLeases(database, deliveries, leaseUntilMs),
    recoverStalled: (recovery) => recoverStalled(database, recovery),
    async nextRunAtMs(queue) {
      const row = await db
        .selectFrom("job")
        .select((eb) => eb.fn.min("run_at_ms").as("next"))
        .where("queue", "=", queue)
        .where("status", "=", "queued")
        .executeTakeFirst();
      return row?.next ?? null;
    },
    find: (jobId) => db.selectFrom("job").selectAll().where("job_id", "=", jobId).executeTakeFirst(),
    findByKey: (queue, key) => db.selectFrom("job").selectAll().where("enqueued_in", "=", queue).where("idempotency_key", "=", key).executeTakeFirst(),
    requestCancel: (jobId, atMs) => requestCancel(database, jobId, atMs),
    countByStatus: (queue, nowMs) => countByStatus(database, queue, nowMs),
    list: ({ queue, jobName, statuses, beforeJobId, limit }) =>
      db
        .selectFrom("job")
        .selectAll()
        .where("status", "in", [...statuses])
        .where((eb) => (queue === undefined ? sql<SqlBool>`1 = 1` : eb("queue", "=", queue)))
        .where((eb) => (jobName === undefined ? sql<SqlBool>`1 = 1` : eb("job_name", "=", jobName)))
        .where((eb) => (beforeJobId === undefined ? sql<SqlBool>`1 = 1` : eb("job_id", "<", beforeJobId)))
        .orderBy("job_id", "desc")
        .limit(limit)
        .execute(),
    async retryDead(jobId) {
      const result = await db
        .updateTable("job")
        .set({ status: "queued", run_at_ms: 0, attempt: 0, stall_count: 0, cancel_requested: 0, error_code: null, finished_at_ms: null })
        .where("job_id", "=", jobId)
        .where("status", "=", "failed")
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async removeDead(jobId) {
      const result = await db.deleteFrom("job").where("job_id", "=", jobId).where("status", "=", "failed").executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    removeEnded: (jobIds, unitOfWork) => removeEnded(database, jobIds, unitOfWork),
  };
}

async function removeEnded(database: AppDatabase, jobIds: readonly string[], unitOfWork: UnitOfWork | undefined): Promise<void> {
  if (jobIds.length === 0) return;
  await executorOf(database, unitOfWork)
    .deleteFrom("job")
    .where("job_id", "in", [...jobIds])
    .where("status", "in", ["completed", "failed", "cancelled"])
    .execute();
}

/** A stall is the process's fault until it repeats, so it does not spend one of the job's attempts. */
const BACK_IN_QUEUE = { status: "queued", lease_until_ms: null, run_at_ms: 0, attempt: sql<number>`attempt - 1`, stall_count: sql<number>`stall_count + 1` };

function recoverStalled(database: AppDatabase, { nowMs, all, maxStalls, runningHere, maxRetryDelayMs }: RecoveryOptions) {
  return inRepeatedTransaction(database, async (transaction) => {
    let query = transaction.selectFrom("job").selectAll().where("status", "=", "processing");
    if (runningHere.length > 0) query = query.where("job_id", "not in", [...runningHere]);
    if (!all) query = query.where("lease_until_ms", "<", nowMs);
    // Those that another process settles or recovers at this moment are its own.
    const stalled = await lockFreeRows(database, query).execute();
    const update = (rows: readonly JobRow[], change: UpdateObject<DatabaseSchema, "job">) => {
      const ids = rows.map((row) => row.job_id);
      return ids.length === 0 ? undefined : transaction.updateTable("job").set(change).where("job_id", "in", ids).execute();
    };
    const end = async (rows: readonly JobRow[], change: Pick<JobRow, "status" | "error_code">): Promise<readonly JobRow[]> => {
      const whole = { ...change, lease_until_ms: null, finished_at_ms: nowMs };
      await update(rows, whole);
      return rows.map((row) => ({ ...row, ...whole }));
    };
    const [cancelled, others] = partition(stalled, (row) => row.cancel_requested === 1);
    const [dead, requeued] = partition(others, (row) => row.stall_count >= maxStalls);
    const ended = [
      ...(await end(cancelled, { status: "cancelled", error_code: "QUEUE_JOB_CANCELLED" })),
      ...(await end(dead, { status: "failed", error_code: "QUEUE_JOB_STALLED" })),
    ];
    await update(requeued, BACK_IN_QUEUE);
    await transaction
      .updateTable("job")
      .set({ run_at_ms: nowMs })
      .where("status", "=", "queued")
      .where("attempt", ">", 0)
      .where("run_at_ms", ">", nowMs + maxRetryDelayMs)
      .execute();
    return { requeued: requeued.length, ended };
  });
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

async function requestCancel(database: AppDatabase, jobId: string, atMs: number): Promise<string | undefined> {
  return inRepeatedTransaction(database, async (transaction) => {
    // Locked: between the look and the change another process would claim it, and it would run as cancelled.
    const row = await lockRows(database, transaction.selectFrom("job").select("status").where("job_id", "=", jobId)).executeTakeFirst();
    const job = transaction.updateTable("job").where("job_id", "=", jobId);
    if (row?.status === "queued") {
      await job.set({ status: "cancelled", finished_at_ms: atMs, error_code: "QUEUE_JOB_CANCELLED" }).execute();
    } else if (row?.status === "processing") {
      await job.set({ cancel_requested: 1 }).execute();
    }
    return row?.status;
  });
}

async function countByStatus({ sql: db }: AppDatabase, queue: string, nowMs: number): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("job")
    .select(["status", (eb) => eb.fn.countAll<number>().as("count"), sql<number>`sum(case when run_at_ms > ${nowMs} then 1 else 0 end)`.as("later")])
    .where("queue", "=", queue)
    .groupBy("status")
    .execute();
  const counts = new Map(rows.map((row) => [row.status, Number(row.count)]));
  const delayed = Number(rows.find((row) => row.status === "queued")?.later ?? 0);
  return counts.set("delayed", delayed).set("queued", (counts.get("queued") ?? 0) - delayed);
}

async function renewLeases(database: AppDatabase, deliveries: readonly Delivery[], leaseUntilMs: number): Promise<ReadonlyMap<string, boolean>> {
  if (deliveries.length === 0) return new Map();
  const { sql: db } = database;
  const renewals = deliveries.map(({ jobId, delivery }) =>
    db
      .updateTable("job")
      .set({ lease_until_ms: leaseUntilMs })
      .where("job_id", "=", jobId)
      .where("delivery", "=", delivery)
      .where("status", "=", "processing")
      .compile(),
  );
  const ids = deliveries.map(({ jobId }) => jobId);
  const held = db.selectFrom("job").select(["job_id", "delivery", "cancel_requested"]).where("job_id", "in", ids).where("status", "=", "processing").compile();
  const rows = (await database.batch([...renewals, held])).at(-1)?.rows ?? [];
  const ours = rows.filter((row) => deliveries.some(({ jobId, delivery }) => jobId === row["job_id"] && delivery === row["delivery"]));
  return new Map(ours.map((row) => [String(row["job_id"]), row["cancel_requested"] === 1] as const));
}
