/**
 * The job table as a queue sees it whose deliveries are somebody else's work: claims of single jobs by the number of
 * their delivery, many to a commit, and the questions by which what was lost on the way is found again.
 */
import { CompiledQuery, sql } from "kysely";
import type { AppDatabase } from "../database.js";
import type { Delivery, JobRow, Settlement } from "./job-repository.js";
import { compileSettlement, TAKEN_ONCE_MORE } from "./jobs/job-exchange.js";

/** A queued job, as far as its delivery is concerned. `delivery` counts the claims so far. */
export interface WaitingJob extends Delivery {
  readonly priority: number;
}

/** Where the page before ended. */
export interface WaitingPosition extends WaitingJob {
  readonly enqueueSeq: number;
}

/** A running job whose lease has run out. */
export interface OverdueJob extends Delivery {
  readonly queue: string;
}

export interface JobDeliveryRepository {
  /**
   * One transaction. A job is claimed when it is queued and has been claimed just as often as the one who wants it was
   * told; the rows of those that were are returned.
   */
  exchange(settlements: readonly Settlement[], claims: readonly Delivery[], leaseUntilMs: number): Promise<readonly JobRow[]>;
  /** The queued jobs that are next, oldest first. */
  nextDue(queue: string, nowMs: number, limit: number): Promise<readonly WaitingJob[]>;
  /** All queued jobs that are due, oldest first, a page at a time. */
  pageOfDue(queue: string, nowMs: number, limit: number, after?: WaitingPosition): Promise<readonly WaitingPosition[]>;
  /** Jobs that became due after `fromMs` and not later than `toMs`; those that never waited are not among them. */
  dueBetween(queue: string, fromMs: number, toMs: number): Promise<readonly WaitingJob[]>;
  /** When the next of the delayed jobs is due. */
  nextDueAfter(queue: string, nowMs: number): Promise<number | null>;
  /** Jobs that are due, and jobs that run. */
  countDueAndRunning(queue: string, nowMs: number): Promise<number>;
  overdue(nowMs: number): Promise<readonly OverdueJob[]>;
}

/** Every method is its own transaction. */
export function createJobDeliveryRepository({ database }: { readonly database: AppDatabase }): JobDeliveryRepository {
  const { sql: db } = database;
  const compileClaim = createClaimCompiler(database);
  const due = (queue: string, nowMs: number) => db.selectFrom("job").where("queue", "=", queue).where("status", "=", "queued").where("run_at_ms", "<=", nowMs);
  const WAITING = ["job_id as jobId", "delivery", "priority"] as const;
  return {
    exchange: (settlements, claims, leaseUntilMs) => exchange(database, { settlements, claims, leaseUntilMs, compileClaim }),
    nextDue: (queue, nowMs, limit) =>
      due(queue, nowMs).select(WAITING).orderBy("priority", "desc").orderBy("run_at_ms").orderBy("enqueue_seq").limit(limit).execute(),
    pageOfDue: (queue, nowMs, limit, after) =>
      due(queue, nowMs)
        .select([...WAITING, "enqueue_seq as enqueueSeq"])
        .where("enqueue_seq", ">", after?.enqueueSeq ?? 0)
        .orderBy("enqueue_seq")
        .limit(limit)
        .execute(),
    dueBetween: (queue, fromMs, toMs) =>
      due(queue, toMs).select(WAITING).where("run_at_ms", ">", fromMs).where("run_at_ms", ">", 0).orderBy("run_at_ms").orderBy("job_id").execute(),
    async nextDueAfter(queue, nowMs) {
      const row = await db
        .selectFrom("job")
        .select((eb) => eb.fn.min("run_at_ms").as("next"))
        .where("queue", "=", queue)
        .where("status", "=", "queued")
        .where("run_at_ms", ">", nowMs)
        .executeTakeFirst();
      return row?.next == null ? null : Number(row.next);
    },
    async countDueAndRunning(queue, nowMs) {
      const row = await db
        .selectFrom("job")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where("queue", "=", queue)
        .where((eb) => eb.or([eb("status", "=", "processing"), eb.and([eb("status", "=", "queued"), eb("run_at_ms", "<=", nowMs)])]))
        .executeTakeFirst();
      return Number(row?.count ?? 0);
    },
    overdue: (nowMs) =>
      db.selectFrom("job").select(["job_id as jobId", "delivery", "queue"]).where("status", "=", "processing").where("lease_until_ms", "<", nowMs).execute(),
  };
}

type ClaimCompiler = (claim: Delivery, leaseUntilMs: number) => CompiledQuery;

interface Exchange {
  readonly settlements: readonly Settlement[];
  readonly claims: readonly Delivery[];
  readonly leaseUntilMs: number;
  readonly compileClaim: ClaimCompiler;
}

async function exchange(database: AppDatabase, { settlements, claims, leaseUntilMs, compileClaim }: Exchange): Promise<readonly JobRow[]> {
  const statements = [...settlements.map((settlement) => compileSettlement(database, settlement)), ...claims.map((claim) => compileClaim(claim, leaseUntilMs))];
  if (claims.length > 0) {
    const ids = claims.map(({ jobId }) => jobId);
    statements.push(database.sql.selectFrom("job").selectAll().where("job_id", "in", ids).compile());
  }
  const results = await database.batch(statements);
  if (claims.length === 0) return [];
  const rows = new Map((results.at(-1)?.rows ?? []).map((row) => [String(row["job_id"]), row as unknown as JobRow]));
  // Not every database tells which rows an update has changed, but each tells how many.
  return claims.flatMap(({ jobId }, index) => {
    const row = rows.get(jobId);
    return results[settlements.length + index]?.changes === 1 && row !== undefined ? [row] : [];
  });
}

/** Every claim has the same text: it is built once. */
function createClaimCompiler({ sql: db }: AppDatabase): ClaimCompiler {
  let text: string | undefined;
  return ({ jobId, delivery }, leaseUntilMs) => {
    text ??= db
      .updateTable("job")
      .set({ ...TAKEN_ONCE_MORE, lease_until_ms: leaseUntilMs })
      .where("job_id", "=", jobId)
      .where("delivery", "=", delivery)
      .where("status", "=", sql<string>`'queued'`)
      .compile().sql;
    return CompiledQuery.raw(text, ["processing", leaseUntilMs, jobId, delivery]);
  };
}
