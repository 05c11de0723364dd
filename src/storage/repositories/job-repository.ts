/**
 * The job table. Claims and settlements go through `exchange`: one transaction, one commit, so that the embedded queue
 * pays one disk sync for many jobs. A settlement holds only for the delivery it belongs to, so a worker that lost its
 * lease cannot settle a job another one is running.
 */
import { CompiledQuery, type SqlBool, sql } from "kysely";
import type { AppDatabase } from "../database.js";
import type { JobTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

export type JobRow = JobTable;

/** SQLite's row number: jobs of one millisecond run in the order of their inserts, whatever their ids. */
const ENQUEUE_ORDER = sql<number>`rowid`;

/** One claim of a job. */
export interface Delivery {
  readonly jobId: string;
  readonly delivery: number;
}

/** How a delivery ended, or how far it has come. */
export type Settlement =
  | {
      readonly kind: "finished";
      readonly jobId: string;
      readonly delivery: number;
      readonly status: string;
      readonly errorCode: string | null;
      readonly atMs: number;
    }
  | {
      readonly kind: "requeued";
      readonly jobId: string;
      readonly delivery: number;
      readonly atMs: number;
      readonly runAtMs: number;
      readonly spendsAttempt: boolean;
      readonly errorCode: string | null;
    }
  | { readonly kind: "progress"; readonly jobId: string; readonly delivery: number; readonly progress: number; readonly step: string };

export interface Claim {
  readonly queue: string;
  readonly limit: number;
  readonly nowMs: number;
  readonly leaseUntilMs: number;
}

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
  readonly statuses: readonly string[];
  /** Only jobs older than this one: where the page before ended. */
  readonly beforeJobId?: string;
  readonly limit: number;
}

/** `insert` joins a given unit of work; every other method is its own transaction. */
export function createJobRepository(options: { readonly database: AppDatabase }): JobRepository {
  const { database } = options;
  const db = database.sql;
  const compile = createInsertCompiler(database);
  return {
    insert: (rows, unitOfWork) => insertJobs(database, { rows, compile, unitOfWork }),
    async exchange(settlements, claim) {
      const statements = settlements.map((settlement) => compileSettlement(database, settlement));
      if (claim !== undefined) statements.push(compileClaim(database, claim));
      const results = await database.batch(statements);
      if (claim === undefined) return [];
      const rows = (results.at(-1)?.rows ?? []) as unknown as (JobRow & { readonly enqueue_order: number })[];
      // UPDATE ... RETURNING promises no order.
      return [...rows].sort((a, b) => b.priority - a.priority || a.run_at_ms - b.run_at_ms || a.enqueue_order - b.enqueue_order);
    },
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
    findByKey: (queue, key) => db.selectFrom("job").selectAll().where("queue", "=", queue).where("idempotency_key", "=", key).executeTakeFirst(),
    requestCancel: (jobId, atMs) => requestCancel(database, jobId, atMs),
    countByStatus: (queue, nowMs) => countByStatus(database, queue, nowMs),
    list: ({ queue, statuses, beforeJobId, limit }) =>
      db
        .selectFrom("job")
        .selectAll()
        .where("status", "in", [...statuses])
        .where((eb) => (queue === undefined ? sql<SqlBool>`1 = 1` : eb("queue", "=", queue)))
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

type InsertCompiler = (row: JobRow) => CompiledQuery;

/** Every insert has the same text: it is built once, for an acknowledged enqueue waits for it. */
function createInsertCompiler({ sql: db }: AppDatabase): InsertCompiler {
  let template: { readonly text: string; readonly columns: readonly (keyof JobRow)[] } | undefined;
  return (row) => {
    template ??= {
      text: db
        .insertInto("job")
        .values(row)
        .onConflict((conflict) => conflict.columns(["queue", "idempotency_key"]).where("idempotency_key", "is not", null).doNothing())
        .returning("job_id")
        .compile().sql,
      columns: Object.keys(row) as (keyof JobRow)[],
    };
    return CompiledQuery.raw(
      template.text,
      template.columns.map((column) => row[column]),
    );
  };
}

interface InsertRequest {
  readonly rows: readonly JobRow[];
  readonly compile: InsertCompiler;
  readonly unitOfWork: UnitOfWork | undefined;
}

async function insertJobs(database: AppDatabase, { rows, compile, unitOfWork }: InsertRequest) {
  const compiled = rows.map(compile);
  const results = unitOfWork === undefined ? (await database.batch(compiled)).map((result) => result.rows.length) : await inTransaction(unitOfWork, compiled);
  return Promise.all(
    rows.map(async (row, index) => {
      if (results[index] === 1) return { jobId: row.job_id, isDuplicate: false };
      const first = await executorOf(database, unitOfWork)
        .selectFrom("job")
        .select("job_id")
        .where("queue", "=", row.queue)
        .where("idempotency_key", "=", row.idempotency_key)
        .executeTakeFirstOrThrow();
      return { jobId: first.job_id, isDuplicate: true };
    }),
  );
}

async function inTransaction(unitOfWork: UnitOfWork, compiled: readonly CompiledQuery[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const query of compiled) counts.push((await unitOfWork.transaction.executeQuery(query)).rows.length);
  return counts;
}

function compileSettlement({ sql: db }: AppDatabase, settlement: Settlement): CompiledQuery {
  const delivery = db.updateTable("job").where("job_id", "=", settlement.jobId).where("delivery", "=", settlement.delivery).where("status", "=", "processing");
  if (settlement.kind === "progress") {
    return delivery.set({ progress: sql<number>`max(progress, ${settlement.progress})`, step: settlement.step }).compile();
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
        finished_at_ms: unlessCancelled<number | null>(null, settlement.atMs),
        ...(settlement.spendsAttempt ? {} : { attempt: sql<number>`attempt - 1` }),
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

function compileClaim({ sql: db }: AppDatabase, claim: Claim): CompiledQuery {
  return db
    .updateTable("job")
    .set({ status: "processing", attempt: sql<number>`attempt + 1`, delivery: sql<number>`delivery + 1`, lease_until_ms: claim.leaseUntilMs })
    .where("job_id", "in", (eb) =>
      eb
        .selectFrom("job")
        .select("job_id")
        .where("queue", "=", claim.queue)
        .where("status", "=", "queued")
        .where("run_at_ms", "<=", claim.nowMs)
        .orderBy("priority", "desc")
        .orderBy("run_at_ms")
        .orderBy(ENQUEUE_ORDER)
        .limit(claim.limit),
    )
    .returningAll()
    .returning(ENQUEUE_ORDER.as("enqueue_order"))
    .compile();
}

async function recoverStalled({ sql: db }: AppDatabase, { nowMs, all, maxStalls, runningHere, maxRetryDelayMs }: RecoveryOptions) {
  return db.transaction().execute(async (transaction) => {
    const stalled = () =>
      transaction
        .updateTable("job")
        .where("status", "=", "processing")
        .where((eb) => (runningHere.length === 0 ? sql<SqlBool>`1 = 1` : eb("job_id", "not in", [...runningHere])))
        .where((eb) => (all ? sql<SqlBool>`1 = 1` : eb("lease_until_ms", "<", nowMs)));
    const cancelled = await stalled()
      .set({ status: "cancelled", lease_until_ms: null, error_code: "QUEUE_JOB_CANCELLED", finished_at_ms: nowMs })
      .where("cancel_requested", "=", 1)
      .returningAll()
      .execute();
    const dead = await stalled()
      .set({ status: "failed", lease_until_ms: null, error_code: "QUEUE_JOB_STALLED", finished_at_ms: nowMs })
      .where("stall_count", ">=", maxStalls)
      .returningAll()
      .execute();
    // A stall is the process's fault until it repeats, so it does not spend one of the job's attempts.
    const requeued = await stalled()
      .set({ status: "queued", lease_until_ms: null, run_at_ms: 0, attempt: sql<number>`attempt - 1`, stall_count: sql<number>`stall_count + 1` })
      .executeTakeFirst();
    await transaction
      .updateTable("job")
      .set({ run_at_ms: nowMs })
      .where("status", "=", "queued")
      .where("attempt", ">", 0)
      .where("run_at_ms", ">", nowMs + maxRetryDelayMs)
      .execute();
    return { requeued: Number(requeued.numUpdatedRows), ended: [...cancelled, ...dead] };
  });
}

async function requestCancel({ sql: db }: AppDatabase, jobId: string, atMs: number): Promise<string | undefined> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction.selectFrom("job").select("status").where("job_id", "=", jobId).executeTakeFirst();
    if (row?.status === "queued") {
      await transaction
        .updateTable("job")
        .set({ status: "cancelled", finished_at_ms: atMs, error_code: "QUEUE_JOB_CANCELLED" })
        .where("job_id", "=", jobId)
        .execute();
    } else if (row?.status === "processing") {
      await transaction.updateTable("job").set({ cancel_requested: 1 }).where("job_id", "=", jobId).execute();
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
  const statements = deliveries.map(({ jobId, delivery }) =>
    database.sql
      .updateTable("job")
      .set({ lease_until_ms: leaseUntilMs })
      .where("job_id", "=", jobId)
      .where("delivery", "=", delivery)
      .where("status", "=", "processing")
      .returning(["job_id", "cancel_requested"])
      .compile(),
  );
  const results = await database.batch(statements);
  return new Map(results.flatMap((result) => result.rows.map((row) => [String(row["job_id"]), row["cancel_requested"] === 1] as const)));
}
