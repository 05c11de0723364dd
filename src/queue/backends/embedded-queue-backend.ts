/**
 * The embedded queue: jobs in our own database, claimed by consumers in this process. Nothing to install, nothing to
 * run beside it, and a power cut loses nothing that was acknowledged. See docs/decisions/0003.
 */

import type { WorkStatus } from "../../core/call.js";
import type { Clock, Timer } from "../../core/clock.js";
import { AppError, type ErrorCode } from "../../core/errors.js";
import { newId } from "../../core/ids.js";
import type { JobRepository, JobRow } from "../../storage/repositories/job-repository.js";
import type { UnitOfWork } from "../../storage/unit-of-work.js";
import type {
  CancelOutcome,
  ConsumeOptions,
  Consumer,
  EnqueuedJob,
  JobCounts,
  JobHandler,
  JobListFilter,
  JobPayload,
  JobRecord,
  NewJob,
  QueueBackend,
  QueueName,
} from "../queue-backend.js";
import { dueAtMs, type RetryPolicy } from "../retry-policy.js";
import { EmbeddedConsumer, type JobOutcome } from "./embedded-consumer.js";

export interface EmbeddedQueueOptions {
  readonly jobs: JobRepository;
  readonly clock: Clock;
  readonly retryPolicy: RetryPolicy;
  /** A job whose worker shows no sign of life for this long is given to another. */
  readonly leaseMs: number;
  /** How often to look for jobs other processes queued (the command line does). */
  readonly pollIntervalMs: number;
  /** True when this process holds the data directory, so that running jobs found at start can have no owner. */
  readonly isExclusive: boolean;
  /** Crashes a job may be part of before it is set aside as dead. */
  readonly maxStalls: number;
  readonly random?: () => number;
  readonly onOutcome?: (queue: QueueName, jobName: string, outcome: JobOutcome, durationMs: number) => void;
  /** The job has ended for good, and that is durable. */
  readonly onEnded?: (jobId: string) => void;
  readonly onError?: (error: unknown) => void;
  /** A job ended without its handler: set aside after too many stalls, or cancelled while its process died. */
  readonly onRecoveryEnded?: (job: JobRecord) => void;
}

export class EmbeddedQueueBackend implements QueueBackend {
  readonly capabilities = { multiProcess: false } as const;
  readonly #options: EmbeddedQueueOptions;
  readonly #consumers = new Map<EmbeddedConsumer, QueueName>();
  #recoveryTimer: Timer | undefined;
  #isClosed = false;

  constructor(options: EmbeddedQueueOptions) {
    this.#options = options;
  }

  /** Gives back jobs a dead process held, then keeps watching for stalled ones. Call once, before `consume`. */
  async start(): Promise<void> {
    await this.#recover(this.#options.isExclusive);
    this.#scheduleRecovery();
  }

  async enqueue(queue: QueueName, job: NewJob, options: { readonly unitOfWork?: UnitOfWork } = {}): Promise<EnqueuedJob> {
    this.#refuseClosed();
    const [enqueued] = await this.#options.jobs.insert([this.#toRow(queue, job)], options.unitOfWork);
    if (enqueued === undefined) throw new RangeError("insert returned nothing");
    if (options.unitOfWork === undefined) this.#wake(queue);
    else options.unitOfWork.afterCommit(() => this.#wake(queue));
    return enqueued;
  }

  async enqueueMany(queue: QueueName, jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.#refuseClosed();
    if (jobs.length === 0) return [];
    const enqueued = await this.#options.jobs.insert(jobs.map((job) => this.#toRow(queue, job)));
    this.#wake(queue);
    return enqueued;
  }

  consume(queue: QueueName, handler: JobHandler, options: ConsumeOptions): Consumer {
    this.#refuseClosed();
    const consumer = new EmbeddedConsumer({ ...this.#options, queue, handler, concurrency: options.concurrency, toRecord });
    this.#consumers.set(consumer, queue);
    consumer.start();
    return {
      close: async (deadlineMs) => {
        await consumer.close(deadlineMs);
        this.#consumers.delete(consumer);
      },
    };
  }

  async find(jobId: string): Promise<JobRecord | undefined> {
    const row = await this.#options.jobs.find(jobId);
    return row === undefined ? undefined : toRecord(row);
  }

  async findByKey(queue: QueueName, idempotencyKey: string): Promise<JobRecord | undefined> {
    const row = await this.#options.jobs.findByKey(queue, idempotencyKey);
    return row === undefined ? undefined : toRecord(row);
  }

  async cancel(jobId: string): Promise<CancelOutcome> {
    const before = await this.#options.jobs.requestCancel(jobId, this.#options.clock.nowMs());
    if (before === undefined) return "unknown";
    if (before === "queued") return "cancelled";
    if (before !== "processing") return "finished";
    for (const consumer of this.#consumers.keys()) consumer.abortJob(jobId);
    return "cancelling";
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

  async retryDead(jobId: string): Promise<void> {
    if (!(await this.#options.jobs.retryDead(jobId))) throw await this.#notDead(jobId);
    for (const consumer of this.#consumers.keys()) consumer.wake();
  }

  async discardDead(jobId: string): Promise<void> {
    if (!(await this.#options.jobs.removeDead(jobId))) throw await this.#notDead(jobId);
  }

  async forget(jobIds: readonly string[], { unitOfWork }: { readonly unitOfWork: UnitOfWork }): Promise<void> {
    await this.#options.jobs.removeEnded(jobIds, unitOfWork);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    this.#recoveryTimer?.cancel();
    await Promise.all([...this.#consumers.keys()].map((consumer) => consumer.close(deadlineMs)));
    this.#consumers.clear();
  }

  #toRow(queue: QueueName, job: NewJob): JobRow {
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
      idempotency_key: job.idempotencyKey ?? null,
      error_code: null,
      created_at_ms: nowMs,
      finished_at_ms: null,
    };
  }

  #wake(queue: QueueName): void {
    for (const [consumer, consumed] of this.#consumers) if (consumed === queue) consumer.wake();
  }

  #scheduleRecovery(): void {
    if (this.#isClosed) return;
    this.#recoveryTimer = this.#options.clock.schedule(this.#options.leaseMs, () => {
      void this.#recover(false)
        .catch((error: unknown) => this.#options.onError?.(error))
        .finally(() => this.#scheduleRecovery());
    });
  }

  async #recover(all: boolean): Promise<void> {
    const { jobs, clock, maxStalls, retryPolicy } = this.#options;
    const runningHere = [...this.#consumers.keys()].flatMap((consumer) => consumer.runningJobIds());
    const { requeued, ended } = await jobs.recoverStalled({ nowMs: clock.nowMs(), all, maxStalls, runningHere, maxRetryDelayMs: 2 * retryPolicy.maxDelayMs });
    for (const row of ended) this.#options.onRecoveryEnded?.(toRecord(row));
    if (requeued > 0) for (const consumer of this.#consumers.keys()) consumer.wake();
  }

  async #notDead(jobId: string): Promise<AppError> {
    return (await this.#options.jobs.find(jobId)) === undefined
      ? new AppError("QUEUE_JOB_NOT_FOUND", "There is no such job.")
      : new AppError("QUEUE_JOB_NOT_DEAD", "Only a failed job can be retried or discarded; this one is not.");
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new AppError("QUEUE_CLOSED", "The queue is shutting down; try again in a moment.", { retryable: true });
  }
}

function toRecord(row: JobRow): JobRecord {
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
