/**
 * One consumer of a queue whose tickets BullMQ hands out: claims the job of each ticket in the table, runs the handler,
 * and gives the ticket back once the settlement is durable. Claims and settlements of one moment share one commit.
 */
import type { Timer } from "../../core/clock.js";
import type { JobDeliveryRepository } from "../../storage/repositories/job-delivery-repository.js";
import type { Delivery, JobRow, Settlement } from "../../storage/repositories/job-repository.js";
import type { ConsumeOptions, QueueName } from "../queue-backend.js";
import type { TicketBroker, TicketWorker } from "./bullmq-broker.js";
import type { RecordedQueueOptions } from "./recorded-queue.js";
import { type ConsumerOptions, RunningJobs } from "./running-jobs.js";

export interface BullMqConsumerOptions extends ConsumerOptions, Pick<RecordedQueueOptions, "onEnded">, ConsumeOptions {
  readonly broker: TicketBroker;
  readonly deliveries: JobDeliveryRepository;
  /** Waits again, and that is durable. */
  readonly onRequeued: (queue: QueueName, job: Delivery & { readonly priority: number }, runAtMs: number) => void;
  /** A ticket came back whose job still counts as running. */
  readonly onOrphan: () => void;
}

/** A ticket that waits for its claim, or whose job runs. */
interface HeldTicket {
  readonly ticket: Delivery;
  readonly isRepeated: boolean;
  readonly finish: (end: "used" | "returned") => void;
  priority: number;
}

/** Settlements, and claims, in one transaction at most. */
const BATCH_SIZE = 64;
/** Redis counts a lock's time with a delay of the network. */
const MIN_LOCK_MS = 1_000;
const DATABASE_AWAY_PAUSE_MS = 250;
/** How long BullMQ may take to let go of Redis when nothing runs any more; it waits for ever for one that is away. */
const LETTING_GO_MS = 2_000;

export class BullMqConsumer {
  readonly #options: BullMqConsumerOptions;
  readonly #running: RunningJobs;
  /** By job and number of the delivery. */
  readonly #held = new Map<string, HeldTicket>();
  #claims: HeldTicket[] = [];
  #settlements: Settlement[] = [];
  #worker: TicketWorker | undefined;
  #isClosing = false;
  #wakeUp: (() => void) | undefined;
  #pauseTimer: Timer | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: BullMqConsumerOptions) {
    this.#options = options;
    this.#running = new RunningJobs({
      ...options,
      onSettlement: (settlement) => {
        this.#settlements.push(settlement);
        this.#nudge();
      },
      onRenewal: () => this.#worker?.renewLocks(),
    });
  }

  start(): void {
    if (this.#isClosing) return;
    const { broker, queue, concurrency, rateLimit, leaseMs } = this.#options;
    this.#loop = this.#run();
    this.#running.keepLeases();
    const onTicket = (ticket: Delivery, isRepeated: boolean) => this.#take(ticket, isRepeated);
    const limited = rateLimit === undefined ? {} : { rateLimit };
    this.#worker = broker.openWorker(queue, { concurrency, ...limited, lockMs: Math.max(MIN_LOCK_MS, leaseMs), onTicket });
  }

  runningJobIds(): readonly string[] {
    return this.#running.ids();
  }

  abortJob(jobId: string): void {
    this.#running.cancel(jobId);
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    const closed = this.#worker?.close().catch((error: unknown) => this.#options.onError?.(error));
    for (const { finish } of this.#claims.splice(0)) finish("returned");
    this.#nudge();
    const finish = this.#running.closeAfter(deadlineMs);
    await this.#loop;
    finish();
    await Promise.race([closed, this.#pause(LETTING_GO_MS)]);
    this.#pauseTimer?.cancel();
  }

  #take(ticket: Delivery, isRepeated: boolean): Promise<"used" | "returned"> {
    if (this.#isClosing) return Promise.resolve("returned");
    return new Promise((finish) => {
      this.#claims.push({ ticket, isRepeated, finish, priority: 0 });
      this.#nudge();
    });
  }

  async #run(): Promise<void> {
    while (!this.#isClosing || this.#running.size > 0 || this.#settlements.length > 0) {
      if (this.#settlements.length === 0 && this.#claims.length === 0) {
        await this.#sleep();
        continue;
      }
      try {
        await this.#exchange();
      } catch (error) {
        this.#options.onError?.(error);
        // The database is away: claims and settlements are kept (see #exchange) and tried again after a pause.
        await this.#pause(DATABASE_AWAY_PAUSE_MS);
      }
    }
  }

  async #exchange(): Promise<void> {
    const settlements = this.#settlements.splice(0, BATCH_SIZE);
    const claims = this.#claims.splice(0, BATCH_SIZE);
    const { deliveries, clock, leaseMs } = this.#options;
    let rows: readonly JobRow[];
    try {
      const wanted = claims.map(({ ticket }) => ticket);
      rows = await deliveries.exchange(settlements, wanted, clock.nowMs() + leaseMs);
    } catch (error) {
      this.#settlements.unshift(...settlements);
      if (this.#isClosing) for (const { finish } of claims) finish("returned");
      else this.#claims.unshift(...claims);
      throw error;
    }
    for (const settlement of settlements) this.#settled(settlement);
    const claimed = new Map(rows.map((row) => [row.job_id, row]));
    for (const held of claims) {
      const row = claimed.get(held.ticket.jobId);
      // The same ticket may have come twice; it was claimed once.
      claimed.delete(held.ticket.jobId);
      this.#answer(held, row);
    }
  }

  #answer(held: HeldTicket, row: JobRow | undefined): void {
    // Cancelled, ended or claimed by another meanwhile; or a second ticket of the same delivery.
    if (row === undefined || row.delivery !== held.ticket.delivery + 1) {
      held.finish("used");
      if (held.isRepeated) this.#options.onOrphan();
      return;
    }
    held.priority = row.priority;
    this.#held.set(keyOf({ jobId: row.job_id, delivery: row.delivery }), held);
    this.#running.start(row);
  }

  #settled(settlement: Settlement): void {
    if (settlement.kind === "progress") return;
    const { jobId, delivery } = settlement;
    const held = this.#held.get(keyOf(settlement));
    this.#held.delete(keyOf(settlement));
    if (settlement.kind === "finished") this.#options.onEnded?.(jobId);
    else
      this.#options.onRequeued(
        (settlement.queue as QueueName | undefined) ?? this.#options.queue,
        { jobId, delivery, priority: held?.priority ?? 0 },
        settlement.runAtMs,
      );
    held?.finish("used");
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = resolve;
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pauseTimer = this.#options.clock.schedule(delayMs, resolve);
    });
  }

  #nudge(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
  }
}

function keyOf({ jobId, delivery }: Delivery): string {
  return `${jobId}.${delivery}`;
}
