/**
 * The queue contract: hand a job to a handler at least once.
 *
 * A job is a unit of queued work; its payload is ids and settings, never anything said or known of a caller. A handler
 * may be called twice for one job (a crash between work and acknowledgement), so handlers are idempotent. A handler
 * chooses an outcome by how it ends: return (completed), throw `PermanentJobError` (no retry), throw `RetryAfterError`
 * (again after a delay, no attempt spent), throw `HandOnError` (at once, in another queue, no attempt spent), throw
 * anything else (retry by policy until attempts are spent, then dead).
 */
import type { WorkStatus } from "../core/call.js";
import { AppError, type ErrorCode } from "../core/errors.js";
import type { UnitOfWork } from "../storage/unit-of-work.js";

/** By kind of work; `recordings-cuda` holds the recordings whose next stage is for a worker with a GPU. */
export const QUEUE_NAMES = ["live", "recordings", "recordings-cuda", "models", "maintenance"] as const;
export type QueueName = (typeof QUEUE_NAMES)[number];

/** JSON values only; see the file comment for what may stand in it. */
export type JobPayload = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface NewJob {
  /** Ours to choose, so that a caller knows the id before the commit; made when absent. */
  readonly jobId?: string;
  readonly jobName: string;
  readonly payload: JobPayload;
  /** -100..100, higher first, default 0. Equal priorities run in order of enqueueing. */
  readonly priority?: number;
  readonly delayMs?: number;
  /** Handler calls before the job is dead; 1..20, default 3. */
  readonly maxAttempts?: number;
  /** A second job with the same key is not put into this queue, wherever the first was handed on to; its id is returned. */
  readonly idempotencyKey?: string;
}

export interface EnqueuedJob {
  readonly jobId: string;
  readonly isDuplicate: boolean;
}

/** What the queue knows of a job. A dead job has status `failed` and stays until retried or discarded. */
export interface JobRecord {
  readonly jobId: string;
  readonly queue: QueueName;
  readonly jobName: string;
  readonly payload: JobPayload;
  readonly status: WorkStatus;
  readonly priority: number;
  /** Handler calls so far. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** 0..100, never falls. */
  readonly progress: number;
  readonly step: string;
  readonly errorCode: ErrorCode | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
}

export interface JobContext {
  readonly job: JobRecord;
  /** Aborted by cancellation, by a lost lease, or when a closing consumer's deadline passes. */
  readonly signal: AbortSignal;
  /** Lower values than before are ignored. `step` is a closed word, at most 32 characters. */
  reportProgress(progress: number, step: string): void;
}

export type JobHandler = (context: JobContext) => Promise<void>;

/** No more than `max` jobs are started within any `durationMs`. */
export interface RateLimit {
  /** From 1. */
  readonly max: number;
  readonly durationMs: number;
}

export interface ConsumeOptions {
  /** Jobs in work at once, 1..64. */
  readonly concurrency: number;
  /** Of all consumers of the queue together, in whatever process; they are given the same. Absent: none. */
  readonly rateLimit?: RateLimit;
}

export interface Consumer {
  /**
   * Takes no more jobs, waits for the running ones, then aborts what is left and hands it back (no attempt spent).
   */
  close(deadlineMs: number): Promise<void>;
}

/** `cancelling`: it runs, and was told to stop. `finished`: too late. */
export type CancelOutcome = "cancelled" | "cancelling" | "finished" | "unknown";

export type JobCounts = Readonly<Record<WorkStatus | "delayed", number>>;

export interface QueueCapabilities {
  /** Whether several processes may consume at once. */
  readonly multiProcess: boolean;
}

export interface JobListFilter {
  readonly queue?: QueueName;
  readonly jobName?: string;
  readonly statuses: readonly WorkStatus[];
  /** Only jobs older than this one: where the page before ended. */
  readonly beforeJobId?: string;
  readonly limit: number;
}

export interface QueueBackend {
  readonly capabilities: QueueCapabilities;
  /** Durable when it resolves; with a unit of work, durable when that commits, and only then. */
  enqueue(queue: QueueName, job: NewJob, options?: { readonly unitOfWork?: UnitOfWork }): Promise<EnqueuedJob>;
  /** All or none, one commit. */
  enqueueMany(queue: QueueName, jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]>;
  consume(queue: QueueName, handler: JobHandler, options: ConsumeOptions): Consumer;
  find(jobId: string): Promise<JobRecord | undefined>;
  /** The job that was enqueued here under the idempotency key. */
  findByKey(queue: QueueName, idempotencyKey: string): Promise<JobRecord | undefined>;
  cancel(jobId: string): Promise<CancelOutcome>;
  counts(queue: QueueName): Promise<JobCounts>;
  /** Newest first. */
  list(filter: JobListFilter): Promise<readonly JobRecord[]>;
  /** Gives a dead job its attempts back and queues it. @throws AppError `QUEUE_JOB_NOT_FOUND`, `QUEUE_JOB_NOT_DEAD` */
  retryDead(jobId: string): Promise<void>;
  /** Removes a dead job. @throws AppError `QUEUE_JOB_NOT_FOUND`, `QUEUE_JOB_NOT_DEAD` */
  discardDead(jobId: string): Promise<void>;
  /** Forgets jobs that have ended, when the unit of work commits; queued and running ones stay. */
  forget(jobIds: readonly string[], options: { readonly unitOfWork: UnitOfWork }): Promise<void>;
  /** Closes every consumer. */
  close(deadlineMs: number): Promise<void>;
}

/** The job can never succeed: it is dead at once, with this code. */
export class PermanentJobError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, options?: ErrorOptions) {
    super(`permanent failure: ${code}`, options);
    this.name = "PermanentJobError";
    this.code = code;
  }
}

/** Not now: again after a delay, without spending an attempt. */
export class RetryAfterError extends Error {
  readonly delayMs: number;

  constructor(delayMs: number) {
    super("retry later");
    this.name = "RetryAfterError";
    this.delayMs = delayMs;
  }
}

/** What comes next is for the consumers of another queue. The job stays the same: its id, its attempt, its progress. */
export class HandOnError extends Error {
  readonly queue: QueueName;

  constructor(queue: QueueName) {
    super(`for the queue ${queue}`);
    this.name = "HandOnError";
    this.queue = queue;
  }
}

/** The reason of an aborted `JobContext.signal`. */
export function cancelledJobError(): AppError {
  return new AppError("QUEUE_JOB_CANCELLED", "The job was cancelled.");
}
