/**
 * One consumer of the embedded queue: claims up to its free places, runs the handler, and settles deliveries together
 * with the next claim, so that many jobs share one commit.
 */
import type { Clock, Timer } from "../../core/clock.js";
import { AppError, type ErrorCode } from "../../core/errors.js";
import type { JobRepository, JobRow, Settlement } from "../../storage/repositories/job-repository.js";
import { cancelledJobError, type JobHandler, type JobRecord, PermanentJobError, type QueueName, RetryAfterError } from "../queue-backend.js";
import { backoffDelayMs, dueAtMs, type RetryPolicy } from "../retry-policy.js";

export type JobOutcome = "completed" | "retried" | "failed" | "cancelled" | "stalled";

export interface EmbeddedConsumerOptions {
  readonly queue: QueueName;
  readonly handler: JobHandler;
  readonly concurrency: number;
  readonly jobs: JobRepository;
  readonly clock: Clock;
  readonly retryPolicy: RetryPolicy;
  readonly leaseMs: number;
  readonly pollIntervalMs: number;
  readonly toRecord: (row: JobRow) => JobRecord;
  readonly random?: () => number;
  readonly onOutcome?: (queue: QueueName, jobName: string, outcome: JobOutcome, durationMs: number) => void;
  /** The job has ended for good, and that is durable. */
  readonly onEnded?: (jobId: string) => void;
  readonly onError?: (error: unknown) => void;
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

/** Settlements in one transaction at most. */
const BATCH_SIZE = 64;
/** How long an aborted handler has to end before its job is handed back without it. */
const ABORT_GRACE_MS = 1_000;

export class EmbeddedConsumer {
  readonly #options: EmbeddedConsumerOptions;
  readonly #running = new Map<string, RunningJob>();
  #settlements: Settlement[] = [];
  #isClosing = false;
  #isIdle = false;
  #wakeUp: (() => void) | undefined;
  #wakeTimer: Timer | undefined;
  #leaseTimer: Timer | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedConsumerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
    this.#scheduleLeaseRenewal();
  }

  /** There may be new jobs. */
  wake(): void {
    this.#isIdle = false;
    this.#nudge();
  }

  runningJobIds(): readonly string[] {
    return [...this.#running.keys()];
  }

  abortJob(jobId: string): void {
    const delivery = this.#running.get(jobId);
    if (delivery === undefined) return;
    delivery.isCancelRequested = true;
    delivery.abort.abort(cancelledJobError());
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    this.#nudge();
    const { clock } = this.#options;
    let grace: Timer | undefined;
    const deadline = clock.schedule(deadlineMs, () => {
      for (const running of this.#running.values()) {
        running.abort.abort(new AppError("QUEUE_CLOSED", "The service is stopping; the job goes back to the queue.", { retryable: true }));
      }
      grace = clock.schedule(ABORT_GRACE_MS, () => this.#abandonRunning());
    });
    await this.#loop;
    for (const timer of [deadline, grace, this.#leaseTimer, this.#wakeTimer]) timer?.cancel();
  }

  /** Hands back what minds no signal; whatever its handler still does, its settlement does not count. */
  #abandonRunning(): void {
    for (const running of this.#running.values()) this.#settle(running, this.#handedBack(running, 0));
  }

  async #run(): Promise<void> {
    while (!this.#isClosing || this.#running.size > 0 || this.#settlements.length > 0) {
      const free = this.#isClosing ? 0 : this.#options.concurrency - this.#running.size;
      const canClaim = free > 0 && !this.#isIdle;
      if (!canClaim && this.#settlements.length === 0) {
        await this.#sleep();
        continue;
      }
      try {
        await this.#exchange(canClaim ? free : 0);
      } catch (error) {
        this.#options.onError?.(error);
        // The database is away: settlements are kept (see #exchange) and tried again after a pause.
        await this.#pause(Math.min(this.#options.pollIntervalMs, 1_000));
      }
    }
  }

  async #exchange(free: number): Promise<void> {
    const settlements = this.#settlements.splice(0, BATCH_SIZE);
    const { jobs, clock, queue, leaseMs } = this.#options;
    const nowMs = clock.nowMs();
    let rows: readonly JobRow[];
    try {
      rows = await jobs.exchange(settlements, free === 0 ? undefined : { queue, limit: free, nowMs, leaseUntilMs: nowMs + leaseMs });
    } catch (error) {
      this.#settlements.unshift(...settlements);
      throw error;
    }
    for (const { kind, jobId } of settlements) if (kind === "finished") this.#options.onEnded?.(jobId);
    for (const row of rows) this.#deliver(row);
    if (free > 0 && rows.length < free) await this.#becomeIdle();
  }

  /** Nothing is due: sleep until the next delayed job, a wake, or the poll. */
  async #becomeIdle(): Promise<void> {
    this.#isIdle = true;
    const { jobs, clock, queue, pollIntervalMs } = this.#options;
    const nextMs = await jobs.nextRunAtMs(queue);
    // A job may have been queued between the claim and this question; its wake has cleared the flag then.
    if (!this.#isIdle) return;
    const waitMs = nextMs === null ? pollIntervalMs : Math.min(pollIntervalMs, Math.max(1, nextMs - clock.nowMs()));
    this.#wakeTimer?.cancel();
    this.#wakeTimer = clock.schedule(waitMs, () => this.wake());
  }

  #deliver(row: JobRow): void {
    const delivery: RunningJob = {
      number: row.delivery,
      job: this.#options.toRecord(row),
      abort: new AbortController(),
      startedAtMs: this.#options.clock.nowMs(),
      isCancelRequested: row.cancel_requested === 1,
    };
    this.#running.set(delivery.job.jobId, delivery);
    void this.#call(delivery).then(
      () => this.#settle(delivery, this.#completed(delivery)),
      (error: unknown) => this.#settle(delivery, this.#failed(delivery, error)),
    );
  }

  /** Calls the handler; a handler that throws at once is a rejection like any other. */
  async #call(delivery: RunningJob): Promise<void> {
    const { job, abort } = delivery;
    await this.#options.handler({
      job,
      signal: abort.signal,
      reportProgress: (progress, step) => {
        this.#settlements.push({
          kind: "progress",
          jobId: job.jobId,
          delivery: delivery.number,
          progress: Math.round(Math.min(100, Math.max(0, progress))),
          step,
        });
        this.#nudge();
      },
    });
  }

  #settle(running: RunningJob, { settlement, outcome }: Outcome): void {
    // Handed back already: this end came too late to count.
    if (this.#running.get(running.job.jobId) !== running) return;
    this.#running.delete(running.job.jobId);
    this.#settlements.push(settlement);
    this.#options.onOutcome?.(this.#options.queue, running.job.jobName, outcome, this.#options.clock.nowMs() - running.startedAtMs);
    this.#nudge();
  }

  #completed(running: RunningJob): Outcome {
    return { settlement: this.#finished(running, "completed", null), outcome: "completed" };
  }

  #failed(running: RunningJob, error: unknown): Outcome {
    const { job, abort, isCancelRequested } = running;
    const { retryPolicy, random } = this.#options;
    if (isCancelRequested) return { settlement: this.#finished(running, "cancelled", "QUEUE_JOB_CANCELLED"), outcome: "cancelled" };
    if (error instanceof RetryAfterError) return this.#handedBack(running, error.delayMs);
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

  #requeued({ job, number }: RunningJob, how: { readonly delayMs: number; readonly spendsAttempt: boolean; readonly errorCode: ErrorCode | null }): Outcome {
    const atMs = this.#options.clock.nowMs();
    const { delayMs, ...rest } = how;
    return { settlement: { kind: "requeued", jobId: job.jobId, delivery: number, atMs, runAtMs: dueAtMs(atMs, delayMs), ...rest }, outcome: "retried" };
  }

  #scheduleLeaseRenewal(): void {
    const { clock, leaseMs } = this.#options;
    this.#leaseTimer = clock.schedule(Math.max(1, Math.floor(leaseMs / 3)), () => {
      void this.#renewLeases()
        .catch((error: unknown) => this.#options.onError?.(error))
        .finally(() => {
          if (!this.#isClosing || this.#running.size > 0) this.#scheduleLeaseRenewal();
        });
    });
  }

  async #renewLeases(): Promise<void> {
    const { jobs, clock, leaseMs, onOutcome, queue } = this.#options;
    const deliveries = [...this.#running.values()];
    if (deliveries.length === 0) return;
    const held = await jobs.renewLeases(
      deliveries.map(({ job, number }) => ({ jobId: job.jobId, delivery: number })),
      clock.nowMs() + leaseMs,
    );
    for (const delivery of deliveries) {
      const { jobId, jobName } = delivery.job;
      if (this.#running.get(jobId) !== delivery) continue;
      if (held.get(jobId) === true) this.abortJob(jobId);
      else if (!held.has(jobId)) {
        // The lease was lost (this process slept too long) and the job may run elsewhere: stop here.
        delivery.abort.abort(new AppError("QUEUE_JOB_STALLED", "The job's lease was lost.", { retryable: true }));
        onOutcome?.(queue, jobName, "stalled", clock.nowMs() - delivery.startedAtMs);
      }
    }
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  #nudge(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.schedule(delayMs, resolve);
    });
  }
}
