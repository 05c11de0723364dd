/**
 * The handler calls of one consumer: starts them, says how each has ended, keeps their leases, and aborts them. How
 * jobs are found and where settlements go is the consumer's own affair.
 */
import type { Timer } from "../../core/clock.js";
import { AppError, type ErrorCode } from "../../core/errors.js";
import type { JobRow, Settlement } from "../../storage/repositories/job-repository.js";
import { cancelledJobError, HandOnError, type JobHandler, type JobRecord, PermanentJobError, type QueueName, RetryAfterError } from "../queue-backend.js";
import { backoffDelayMs, dueAtMs } from "../retry-policy.js";
import { type JobOutcome, type RecordedQueueOptions, toRecord } from "./recorded-queue.js";

/** Of one consumer, beside how jobs come to it. */
export interface ConsumerOptions extends Pick<RecordedQueueOptions, "jobs" | "clock" | "retryPolicy" | "leaseMs" | "random" | "onOutcome" | "onError"> {
  readonly queue: QueueName;
  readonly handler: JobHandler;
}

export interface RunningJobsOptions extends ConsumerOptions {
  /** To be stored, in this order; each belongs to the delivery it names and counts for no other. */
  readonly onSettlement: (settlement: Settlement) => void;
  /** Whenever leases are renewed. */
  readonly onRenewal?: () => void;
}

/** One handler call. */
interface RunningJob {
  readonly job: JobRecord;
  /** Number of this claim; see `JobTable.delivery`. */
  readonly number: number;
  readonly abort: AbortController;
  readonly startedAtMs: number;
  isCancelRequested: boolean;
}

/** How a delivery ends: what is written, and what is counted. */
interface Outcome {
  readonly settlement: Settlement;
  readonly outcome: JobOutcome;
}

interface Requeueing {
  readonly delayMs: number;
  readonly spendsAttempt: boolean;
  readonly errorCode: ErrorCode | null;
  /** Another queue than its own. */
  readonly queue?: QueueName;
}

/** How long an aborted handler has to end before its job is handed back without it. */
const ABORT_GRACE_MS = 1_000;

export class RunningJobs {
  readonly #options: RunningJobsOptions;
  readonly #running = new Map<string, RunningJob>();
  #isClosing = false;
  #leaseTimer: Timer | undefined;

  constructor(options: RunningJobsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  ids(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Calls the handler with a job that was claimed. */
  start(row: JobRow): void {
    const running: RunningJob = {
      number: row.delivery,
      job: toRecord(row),
      abort: new AbortController(),
      startedAtMs: this.#options.clock.nowMs(),
      isCancelRequested: row.cancel_requested === 1,
    };
    const lost = this.#running.get(running.job.jobId);
    if (lost !== undefined) this.#lose(lost);
    this.#running.set(running.job.jobId, running);
    void this.#call(running).then(
      () => this.#settle(running, this.#completed(running)),
      (error: unknown) => this.#settle(running, this.#failed(running, error)),
    );
  }

  cancel(jobId: string): void {
    const running = this.#running.get(jobId);
    if (running === undefined) return;
    running.isCancelRequested = true;
    running.abort.abort(cancelledJobError());
  }

  /**
   * Aborts what still runs at the deadline, and a little later hands back what minds no signal.
   *
   * @returns the way to end the waiting, once nothing runs any more.
   */
  closeAfter(deadlineMs: number): () => void {
    this.#isClosing = true;
    const { clock } = this.#options;
    let grace: Timer | undefined;
    const deadline = clock.schedule(deadlineMs, () => {
      for (const running of this.#running.values()) {
        running.abort.abort(new AppError("QUEUE_CLOSED", "The service is stopping; the job goes back to the queue.", { retryable: true }));
      }
      grace = clock.schedule(ABORT_GRACE_MS, () => this.#abandon());
    });
    return () => {
      for (const timer of [deadline, grace, this.#leaseTimer]) timer?.cancel();
    };
  }

  /** Renews the leases at a third of their time, from now until everything has ended. */
  keepLeases(): void {
    const { clock, leaseMs } = this.#options;
    this.#leaseTimer = clock.schedule(Math.max(1, Math.floor(leaseMs / 3)), () => {
      void this.#renewLeases()
        .catch((error: unknown) => this.#options.onError?.(error))
        .finally(() => {
          if (!this.#isClosing || this.#running.size > 0) this.keepLeases();
        });
    });
  }

  /** The same job was claimed again: its lease had run out, another process has handed it on, and it has come back. */
  #lose(running: RunningJob): void {
    running.abort.abort(leaseLost());
    this.#settle(running, this.#handedBack(running, 0));
  }

  /** Hands back what minds no signal; whatever its handler still does, its settlement does not count. */
  #abandon(): void {
    for (const running of this.#running.values()) this.#settle(running, this.#handedBack(running, 0));
  }

  /** Calls the handler; a handler that throws at once is a rejection like any other. */
  async #call(running: RunningJob): Promise<void> {
    const { job, abort } = running;
    await this.#options.handler({
      job,
      signal: abort.signal,
      reportProgress: (progress, step) => {
        this.#options.onSettlement({
          kind: "progress",
          jobId: job.jobId,
          delivery: running.number,
          progress: Math.round(Math.min(100, Math.max(0, progress))),
          step,
        });
      },
    });
  }

  #settle(running: RunningJob, { settlement, outcome }: Outcome): void {
    // Handed back already: this end came too late to count.
    if (this.#running.get(running.job.jobId) !== running) return;
    this.#running.delete(running.job.jobId);
    this.#options.onOutcome?.(this.#options.queue, running.job.jobName, outcome, this.#options.clock.nowMs() - running.startedAtMs);
    this.#options.onSettlement(settlement);
  }

  #completed(running: RunningJob): Outcome {
    return { settlement: this.#finished(running, "completed", null), outcome: "completed" };
  }

  #failed(running: RunningJob, error: unknown): Outcome {
    const { job, abort, isCancelRequested } = running;
    const { retryPolicy, random } = this.#options;
    if (isCancelRequested) return { settlement: this.#finished(running, "cancelled", "QUEUE_JOB_CANCELLED"), outcome: "cancelled" };
    if (error instanceof RetryAfterError) return this.#handedBack(running, error.delayMs);
    if (error instanceof HandOnError) return this.#handedOn(running, error.queue);
    if (abort.signal.aborted) return this.#handedBack(running, 0);
    const errorCode: ErrorCode = error instanceof PermanentJobError || error instanceof AppError ? error.code : "INTERNAL";
    if (!(error instanceof PermanentJobError)) this.#options.onError?.(error);
    if (error instanceof PermanentJobError || job.attempt >= job.maxAttempts) {
      return { settlement: this.#finished(running, "failed", errorCode), outcome: "failed" };
    }
    const delayMs = backoffDelayMs(retryPolicy, job.attempt, (random ?? Math.random)());
    return this.#requeued(running, { delayMs, spendsAttempt: true, errorCode });
  }

  #finished({ job, number }: RunningJob, status: string, errorCode: ErrorCode | null): Settlement {
    return { kind: "finished", jobId: job.jobId, delivery: number, status, errorCode, atMs: this.#options.clock.nowMs() };
  }

  #handedBack(running: RunningJob, delayMs: number): Outcome {
    return this.#requeued(running, { delayMs, spendsAttempt: false, errorCode: null });
  }

  #handedOn(running: RunningJob, queue: QueueName): Outcome {
    const back = this.#requeued(running, { delayMs: 0, spendsAttempt: false, errorCode: null, queue });
    return { ...back, outcome: "handed_on" };
  }

  #requeued({ job, number }: RunningJob, how: Requeueing): Outcome {
    const atMs = this.#options.clock.nowMs();
    const { delayMs, ...rest } = how;
    return { settlement: { kind: "requeued", jobId: job.jobId, delivery: number, atMs, runAtMs: dueAtMs(atMs, delayMs), ...rest }, outcome: "retried" };
  }

  async #renewLeases(): Promise<void> {
    const { jobs, clock, leaseMs, onOutcome, onRenewal, queue } = this.#options;
    const deliveries = [...this.#running.values()];
    if (deliveries.length === 0) return;
    onRenewal?.();
    const held = await jobs.renewLeases(
      deliveries.map(({ job, number }) => ({ jobId: job.jobId, delivery: number })),
      clock.nowMs() + leaseMs,
    );
    for (const running of deliveries) {
      const { jobId, jobName } = running.job;
      if (this.#running.get(jobId) !== running) continue;
      if (held.get(jobId) === true) this.cancel(jobId);
      else if (!held.has(jobId)) {
        // The lease was lost (this process slept too long) and the job may run elsewhere: stop here.
        running.abort.abort(leaseLost());
        onOutcome?.(queue, jobName, "stalled", clock.nowMs() - running.startedAtMs);
      }
    }
  }
}

function leaseLost(): AppError {
  return new AppError("QUEUE_JOB_STALLED", "The job's lease was lost.", { retryable: true });
}
