/**
 * Brings the tickets of one queue to Redis: at once for what is due, later for what is delayed, and again for what
 * Redis has lost. Whatever fails here is found by the next look into the table.
 */
import type { Clock, Timer } from "../../core/clock.js";
import type { JobDeliveryRepository, WaitingJob, WaitingPosition } from "../../storage/repositories/job-delivery-repository.js";
import type { QueueName } from "../queue-backend.js";
import type { TicketBroker } from "./bullmq-broker.js";

export interface TicketDispatchOptions {
  readonly queue: QueueName;
  readonly broker: TicketBroker;
  readonly deliveries: JobDeliveryRepository;
  readonly clock: Clock;
  /** How often the table is compared with what Redis has. */
  readonly pollIntervalMs: number;
  readonly onError: (error: unknown) => void;
}

/** Tickets in one request to Redis, and rows in one look into the table. */
const PAGE = 500;
/** What a worker may want before the table is looked at again; more than `COUNT_TOLERANCE`. */
const NEXT = 200;
const PENDING_LIMIT = 10_000;
/** Jobs that are just on their way make the two counts differ by so much. */
const COUNT_TOLERANCE = 100;

export class TicketDispatch {
  readonly #options: TicketDispatchOptions;
  /** In the order in which they were queued. */
  readonly #pending: WaitingJob[] = [];
  readonly #whenInStep: (() => void)[] = [];
  #flushing: Promise<void> | undefined;
  #comparing: Promise<void> | undefined;
  #comparisonTimer: Timer | undefined;
  #dueTimer: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** Delayed jobs that were due up to here have been published. */
  #publishedUpToMs: number;
  #isMissing = true;
  #isClosed = false;

  constructor(options: TicketDispatchOptions) {
    this.#options = options;
    this.#publishedUpToMs = options.clock.nowMs();
  }

  start(): void {
    void this.compare();
    this.#scheduleComparison();
  }

  /** A job is queued, and that is durable. */
  publish(job: WaitingJob, runAtMs: number): void {
    if (runAtMs > 0) {
      this.#expect(runAtMs);
      return;
    }
    this.#defer([job]);
  }

  /** Resolves once Redis has had every ticket that it should have. */
  inStep(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenInStep.push(resolve);
      this.#tellInStep();
    });
  }

  /** Redis may have lost tickets, or has been away. */
  suspect(): void {
    this.#isMissing = true;
    void this.compare();
  }

  /** Looks for queued jobs whose ticket is not in Redis. */
  compare(): Promise<void> {
    this.#comparing ??= this.#compare()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#comparing = undefined;
        this.#flush();
        this.#tellInStep();
      });
    return this.#comparing;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#comparisonTimer?.cancel();
    this.#dueTimer?.timer.cancel();
    await this.#comparing;
    await this.#flushing;
  }

  #defer(jobs: readonly WaitingJob[]): void {
    // While Redis is away for long, the table alone remembers what is to be published.
    if (this.#pending.length + jobs.length > PENDING_LIMIT) this.#isMissing = true;
    else this.#pending.push(...jobs);
    this.#flush();
  }

  #flush(): void {
    if (this.#pending.length === 0 || !this.#options.broker.isReady) return;
    this.#flushing ??= this.#publishPending().finally(() => {
      this.#flushing = undefined;
      this.#tellInStep();
    });
  }

  async #publishPending(): Promise<void> {
    const { broker, queue } = this.#options;
    // What is enqueued in the same turn goes in the same request.
    await Promise.resolve();
    while (this.#pending.length > 0 && broker.isReady) {
      // What was enqueued before these comes before them. A comparison that ran already may not have looked for it.
      for (let round = 0; round < 2 && this.#isMissing; round++) await this.compare();
      if (this.#isMissing) return;
      const jobs = this.#pending.slice(0, PAGE);
      try {
        await broker.publish(queue, jobs);
      } catch {
        // Reported by the broker. Tried again when Redis is back, or with the next comparison.
        this.#isMissing = true;
        return;
      }
      this.#pending.splice(0, jobs.length);
    }
  }

  #tellInStep(): void {
    if (this.#isMissing || this.#pending.length > 0) return;
    for (const tell of this.#whenInStep.splice(0)) tell();
  }

  #expect(runAtMs: number): void {
    const { clock } = this.#options;
    if (this.#isClosed) return;
    // A job may be stored a little after the moment it was due.
    this.#publishedUpToMs = Math.min(this.#publishedUpToMs, runAtMs - 1);
    if (this.#dueTimer !== undefined && this.#dueTimer.atMs <= runAtMs) return;
    this.#dueTimer?.timer.cancel();
    const timer = clock.schedule(Math.max(1, runAtMs - clock.nowMs()), () => {
      this.#dueTimer = undefined;
      void this.#publishDue().catch((error: unknown) => this.#options.onError(error));
    });
    this.#dueTimer = { atMs: runAtMs, timer };
  }

  async #publishDue(): Promise<void> {
    const { deliveries, clock, queue } = this.#options;
    const nowMs = clock.nowMs();
    const fromMs = Math.min(this.#publishedUpToMs, nowMs);
    this.#publishedUpToMs = nowMs;
    this.#defer(await deliveries.dueBetween(queue, fromMs, nowMs));
    await this.#expectNext();
  }

  async #expectNext(): Promise<void> {
    const { deliveries, clock, queue } = this.#options;
    const nextMs = await deliveries.nextDueAfter(queue, clock.nowMs());
    if (nextMs !== null) this.#expect(nextMs);
  }

  #scheduleComparison(): void {
    if (this.#isClosed) return;
    const { clock, pollIntervalMs } = this.#options;
    this.#comparisonTimer = clock.schedule(pollIntervalMs, () => void this.compare().finally(() => this.#scheduleComparison()));
  }

  async #compare(): Promise<void> {
    const { broker, deliveries, clock, queue } = this.#options;
    if (!broker.isReady || this.#isClosed) return;
    const nowMs = clock.nowMs();
    await this.#expectNext();
    const count = await deliveries.countDueAndRunning(queue, nowMs);
    if (count === 0) {
      this.#isMissing = false;
      return;
    }
    const known = await broker.count(queue).catch(() => 0);
    if (this.#isMissing || known + COUNT_TOLERANCE < count) await this.#publishAllMissing(nowMs);
    else await this.#publishMissing(await deliveries.nextDue(queue, nowMs, NEXT));
  }

  async #publishAllMissing(nowMs: number): Promise<void> {
    const { deliveries, queue } = this.#options;
    this.#isMissing = false;
    let page: readonly WaitingPosition[] = [];
    do {
      page = await deliveries.pageOfDue(queue, nowMs, PAGE, page.at(-1));
      // Those that are about to be published as well: left out, what was queued after them would come before them.
      await this.#publishMissing(page);
    } while (page.length === PAGE && !this.#isClosed);
  }

  async #publishMissing(jobs: readonly WaitingJob[]): Promise<void> {
    const { broker, queue } = this.#options;
    if (jobs.length === 0) return;
    try {
      const missing = await broker.withoutTicket(queue, jobs);
      if (missing.length > 0) await broker.publish(queue, missing);
    } catch {
      // Redis went away again, which it has been reported for: everything is looked at once it is back.
      this.#isMissing = true;
    }
  }
}
