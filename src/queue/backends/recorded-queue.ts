/**
 * What every queue answers out of the job table, whoever brings the jobs to their handlers: the table is the record of
 * each job from its enqueueing until it is forgotten.
 */
import type { WorkStatus } from "../../core/call.js";
import type { Clock, Timer } from "../../core/clock.js";
import { AppError, type ErrorCode } from "../../core/errors.js";
import { newId } from "../../core/ids.js";
import type { JobRepository, JobRow, RecoveryOptions } from "../../storage/repositories/job-repository.js";
import type { UnitOfWork } from "../../storage/unit-of-work.js";
import type { CancelOutcome, JobCounts, JobListFilter, JobPayload, JobRecord, NewJob, QueueName } from "../queue-backend.js";
import { dueAtMs, type RetryPolicy } from "../retry-policy.js";

export type JobOutcome = "completed" | "retried" | "handed_on" | "failed" | "cancelled" | "stalled";

export interface RecordedQueueOptions {
  readonly jobs: JobRepository;
  readonly clock: Clock;
  readonly retryPolicy: RetryPolicy;
  /** A job whose worker shows no sign of life for this long is given to another. */
  readonly leaseMs: number;
  /** How often to look for jobs that other processes queued, or that were lost on their way. */
  readonly pollIntervalMs: number;
  /** True when no other process can hold a job, so that running jobs found at start have no owner. */
  readonly isExclusive: boolean;
  /** Crashes a job may be part of before it is set aside as dead. */
  readonly maxStalls: number;
  readonly random?: () => number;
  readonly onOutcome?: (queue: QueueName, jobName: string, outcome: JobOutcome, durationMs: number) => void;
  /** The job has ended for good, and that is durable. */
  readonly onEnded?: (jobId: string) => void;
  /** A fault of a handler or of the database, and each time that what brings jobs here goes away. */
  readonly onError?: (error: unknown) => void;
  /** A job ended without its handler: set aside after too many stalls, or cancelled while its process died. */
  readonly onRecoveryEnded?: (job: JobRecord) => void;
}

/** What is the same in every queue; how jobs come to their handlers is not. */
export abstract class RecordedQueue {
  readonly #options: RecordedQueueOptions;
  #recoveryTimer: Timer | undefined;
  #isClosed = false;

  constructor(options: RecordedQueueOptions) {
    this.#options = options;
  }

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  async find(jobId: string): Promise<JobRecord | undefined> {
    const row = await this.#options.jobs.find(jobId);
    return row === undefined ? undefined : toRecord(row);
  }

  async findByKey(queue: QueueName, idempotencyKey: string): Promise<JobRecord | undefined> {
    const row = await this.#options.jobs.findByKey(queue, idempotencyKey);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Cancels a waiting job; a running one is marked, and whoever runs it must be told. */
  protected async cancelRecorded(jobId: string): Promise<CancelOutcome> {
    const before = await this.#options.jobs.requestCancel(jobId, this.#options.clock.nowMs());
    if (before === undefined) return "unknown";
    if (before === "queued") return "cancelled";
    return before === "processing" ? "cancelling" : "finished";
  }

  async counts(queue: QueueName): Promise<JobCounts> {
    const counts = await this.#options.jobs.countByStatus(queue, this.#options.clock.nowMs());
    const of = (status: string): number => counts.get(status) ?? 0;
    return {
      queued: of("queued"),
      delayed: of("delayed"),
      processing: of("processing"),
      completed: of("completed"),
      failed: of("failed"),
      cancelled: of("cancelled"),
    };
  }

  async list(filter: JobListFilter): Promise<readonly JobRecord[]> {
    return (await this.#options.jobs.list(filter)).map(toRecord);
  }

  /** The job waits again, and whoever brings jobs to handlers must be told. */
  protected async retryRecorded(jobId: string): Promise<void> {
    if (!(await this.#options.jobs.retryDead(jobId))) throw await this.#notDead(jobId);
  }

  async discardDead(jobId: string): Promise<void> {
    if (!(await this.#options.jobs.removeDead(jobId))) throw await this.#notDead(jobId);
  }

  async forget(jobIds: readonly string[], { unitOfWork }: { readonly unitOfWork: UnitOfWork }): Promise<void> {
    await this.#options.jobs.removeEnded(jobIds, unitOfWork);
  }

  /** The row of a job that is about to be enqueued. */
  protected newRow(queue: QueueName, job: NewJob): JobRow {
    const nowMs = this.#options.clock.nowMs();
    return {
      job_id: job.jobId ?? newId(nowMs),
      queue,
      job_name: job.jobName,
      payload: JSON.stringify(job.payload),
      status: "queued",
      priority: job.priority ?? 0,
      run_at_ms: dueAtMs(nowMs, job.delayMs ?? 0),
      delivery: 0,
      attempt: 0,
      max_attempts: job.maxAttempts ?? 3,
      stall_count: 0,
      lease_until_ms: null,
      cancel_requested: 0,
      progress: 0,
      step: "queued",
      enqueued_in: queue,
      idempotency_key: job.idempotencyKey ?? null,
      error_code: null,
      created_at_ms: nowMs,
      finished_at_ms: null,
    };
  }

  /** Looks for stalled jobs from now until `close` begins. */
  protected scheduleRecovery(recover: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#recoveryTimer = this.#options.clock.schedule(this.#options.leaseMs, () => {
      void recover()
        .catch((error: unknown) => this.#options.onError?.(error))
        .finally(() => this.scheduleRecovery(recover));
    });
  }

  /**
   * Gives stalled jobs back; tells of those that have ended for good.
   *
   * @returns how many wait again
   */
  protected async recoverStalled(stalled: Pick<RecoveryOptions, "nowMs" | "all" | "runningHere">): Promise<number> {
    const { jobs, maxStalls, retryPolicy, onRecoveryEnded } = this.#options;
    const { requeued, ended } = await jobs.recoverStalled({ ...stalled, maxStalls, maxRetryDelayMs: 2 * retryPolicy.maxDelayMs });
    for (const row of ended) onRecoveryEnded?.(toRecord(row));
    return requeued;
  }

  protected refuseClosed(): void {
    if (this.#isClosed) throw new AppError("QUEUE_CLOSED", "The queue is shutting down; try again in a moment.", { retryable: true });
  }

  /** Nothing more is enqueued or consumed. */
  protected beginClose(): void {
    this.#isClosed = true;
    this.#recoveryTimer?.cancel();
  }

  async #notDead(jobId: string): Promise<AppError> {
    return (await this.#options.jobs.find(jobId)) === undefined
      ? new AppError("QUEUE_JOB_NOT_FOUND", "There is no such job.")
      : new AppError("QUEUE_JOB_NOT_DEAD", "Only a failed job can be retried or discarded; this one is not.");
  }
}

/** The record of a job's row. */
export function toRecord(row: JobRow): JobRecord {
  return {
    jobId: row.job_id,
    queue: row.queue as QueueName,
    jobName: row.job_name,
    payload: JSON.parse(row.payload) as JobPayload,
    status: row.status as WorkStatus,
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    progress: row.progress,
    step: row.step,
    errorCode: row.error_code as ErrorCode | null,
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
  };
}
