/**
 * One consumer of the embedded queue: claims up to its free places, runs the handler, and settles deliveries together
 * with the next claim, so that many jobs share one commit.
 */
import type { Timer } from "../../core/clock.js";
import type { JobRow, Settlement } from "../../storage/repositories/job-repository.js";
import type { QueueName } from "../queue-backend.js";
import type { RecordedQueueOptions } from "./recorded-queue.js";
import { type ConsumerOptions, RunningJobs } from "./running-jobs.js";
import type { StartLimit } from "./start-limit.js";

export interface EmbeddedConsumerOptions extends ConsumerOptions, Pick<RecordedQueueOptions, "pollIntervalMs" | "onEnded"> {
  readonly concurrency: number;
  /** Shared by the consumers of the queue. */
  readonly startLimit: StartLimit | undefined;
  /** A job waits in another queue now, and that is durable. */
  readonly onHandedOn: (queue: QueueName) => void;
}

/** Settlements in one transaction at most. */
const BATCH_SIZE = 64;

export class EmbeddedConsumer {
  readonly #options: EmbeddedConsumerOptions;
  readonly #running: RunningJobs;
  #settlements: Settlement[] = [];
  #isClosing = false;
  #isIdle = false;
  #wakeUp: (() => void) | undefined;
  #wakeTimer: Timer | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedConsumerOptions) {
    this.#options = options;
    this.#running = new RunningJobs({
      ...options,
      onSettlement: (settlement) => {
        this.#settlements.push(settlement);
        this.#nudge();
      },
    });
  }

  start(): void {
    this.#loop = this.#run();
    this.#running.keepLeases();
  }

  /** There may be new jobs. */
  wake(): void {
    this.#isIdle = false;
    this.#nudge();
  }

  runningJobIds(): readonly string[] {
    return this.#running.ids();
  }

  abortJob(jobId: string): void {
    this.#running.cancel(jobId);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    this.#nudge();
    const finish = this.#running.closeAfter(deadlineMs);
    await this.#loop;
    finish();
    this.#wakeTimer?.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#isClosing || this.#running.size > 0 || this.#settlements.length > 0) {
      const free = this.#isClosing ? 0 : this.#freePlaces();
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
    const { jobs, clock, queue, leaseMs, startLimit } = this.#options;
    const nowMs = clock.nowMs();
    startLimit?.reserve(free, nowMs);
    let rows: readonly JobRow[];
    try {
      rows = await jobs.exchange(settlements, free === 0 ? undefined : { queue, limit: free, nowMs, leaseUntilMs: nowMs + leaseMs });
    } catch (error) {
      this.#settlements.unshift(...settlements);
      startLimit?.release(free);
      throw error;
    }
    for (const settlement of settlements) {
      if (settlement.kind === "finished") this.#options.onEnded?.(settlement.jobId);
      else if (settlement.kind === "requeued" && settlement.queue !== undefined) this.#options.onHandedOn(settlement.queue as QueueName);
    }
    startLimit?.release(free - rows.length);
    for (const row of rows) this.#running.start(row);
    if (free > 0 && rows.length < free) await this.#becomeIdle();
  }

  #freePlaces(): number {
    const { concurrency, startLimit, clock } = this.#options;
    const free = concurrency - this.#running.size;
    const nowMs = clock.nowMs();
    const allowed = startLimit?.free(nowMs) ?? free;
    if (allowed === 0 && startLimit !== undefined) this.#wakeIn(Math.min(this.#options.pollIntervalMs, startLimit.freeAtMs() - nowMs));
    return Math.min(free, allowed);
  }

  #wakeIn(waitMs: number): void {
    this.#wakeTimer?.cancel();
    this.#wakeTimer = this.#options.clock.schedule(Math.max(1, waitMs), () => this.wake());
  }

  /** Nothing is due: sleep until the next delayed job, a wake, or the poll. */
  async #becomeIdle(): Promise<void> {
    this.#isIdle = true;
    const { jobs, clock, queue, pollIntervalMs } = this.#options;
    const nextMs = await jobs.nextRunAtMs(queue);
    // A job may have been queued between the claim and this question; its wake has cleared the flag then.
    if (!this.#isIdle) return;
    this.#wakeIn(nextMs === null ? pollIntervalMs : Math.min(pollIntervalMs, nextMs - clock.nowMs()));
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
