/**
 * The queue of several processes: every job is a row of our database, from its enqueueing until it is forgotten, and
 * BullMQ on Redis brings its id to one of the processes that have a free place. See docs/decisions/0016.
 */
import type { RedisConnections } from "../../redis/redis-connection.js";
import type { AppDatabase } from "../../storage/database.js";
import { createJobDeliveryRepository, type JobDeliveryRepository } from "../../storage/repositories/job-delivery-repository.js";
import type { JobRow } from "../../storage/repositories/job-repository.js";
import type { UnitOfWork } from "../../storage/unit-of-work.js";
import {
  type CancelOutcome,
  type ConsumeOptions,
  type Consumer,
  type EnqueuedJob,
  type JobHandler,
  type NewJob,
  QUEUE_NAMES,
  type QueueBackend,
  type QueueName,
} from "../queue-backend.js";
import { createTicketBroker, type TicketBroker } from "./bullmq-broker.js";
import { BullMqConsumer } from "./bullmq-consumer.js";
import { RecordedQueue, type RecordedQueueOptions } from "./recorded-queue.js";
import { TicketDispatch } from "./ticket-dispatch.js";

export interface BullMqQueueOptions extends RecordedQueueOptions {
  readonly redis: RedisConnections;
  /** First part of every key in Redis; the processes of one service share it. */
  readonly namespace: string;
  readonly database: AppDatabase;
}

/** The queue, and `start`: gives back jobs a dead process held, then keeps watching. Call it once, before `consume`. */
export interface BullMqQueue extends QueueBackend {
  start(): Promise<void>;
}

/** Loads BullMQ. Redis may be away: what is enqueued meanwhile waits in the database. */
export async function createBullMqQueue(options: BullMqQueueOptions): Promise<BullMqQueue> {
  const hooks = { onCancel: (_jobId: string): void => {}, onReady: (): void => {} };
  const broker = await createTicketBroker({
    ...{ redis: options.redis, namespace: options.namespace },
    onCancel: (jobId) => hooks.onCancel(jobId),
    onReady: () => hooks.onReady(),
    onError: (error) => options.onError?.(error),
  });
  const backend = new BullMqQueueBackend(options, broker);
  hooks.onCancel = (jobId) => backend.abortHere(jobId);
  hooks.onReady = () => backend.redisIsBack();
  return backend;
}

class BullMqQueueBackend extends RecordedQueue implements BullMqQueue {
  readonly capabilities = { multiProcess: true } as const;
  readonly #options: BullMqQueueOptions;
  readonly #broker: TicketBroker;
  readonly #deliveries: JobDeliveryRepository;
  readonly #dispatches: ReadonlyMap<QueueName, TicketDispatch>;
  readonly #consumers = new Set<BullMqConsumer>();
  #recovering: Promise<void> | undefined;
  #isStarted = false;

  constructor(options: BullMqQueueOptions, broker: TicketBroker) {
    super(options);
    this.#options = options;
    this.#broker = broker;
    this.#deliveries = createJobDeliveryRepository(options);
    const { clock, pollIntervalMs } = options;
    const onError = (error: unknown): void => options.onError?.(error);
    const dispatch = (queue: QueueName) => new TicketDispatch({ queue, broker, deliveries: this.#deliveries, clock, pollIntervalMs, onError });
    this.#dispatches = new Map(QUEUE_NAMES.map((queue) => [queue, dispatch(queue)]));
  }

  async start(): Promise<void> {
    this.#isStarted = true;
    await this.#recovering;
    await this.#recover(this.#options.isExclusive);
    for (const dispatch of this.#dispatches.values()) dispatch.start();
    this.scheduleRecovery(() => this.#recover(false));
  }

  async enqueue(queue: QueueName, job: NewJob, options: { readonly unitOfWork?: UnitOfWork } = {}): Promise<EnqueuedJob> {
    this.refuseClosed();
    const row = this.newRow(queue, job);
    const [enqueued] = await this.#options.jobs.insert([row], options.unitOfWork);
    if (enqueued === undefined) throw new RangeError("insert returned nothing");
    if (enqueued.isDuplicate) return enqueued;
    if (options.unitOfWork === undefined) this.#publish(queue, row);
    else options.unitOfWork.afterCommit(() => this.#publish(queue, row));
    return enqueued;
  }

  async enqueueMany(queue: QueueName, jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.refuseClosed();
    if (jobs.length === 0) return [];
    const rows = jobs.map((job) => this.newRow(queue, job));
    const enqueued = await this.#options.jobs.insert(rows);
    for (const [index, row] of rows.entries()) if (enqueued[index]?.isDuplicate === false) this.#publish(queue, row);
    return enqueued;
  }

  consume(queue: QueueName, handler: JobHandler, options: ConsumeOptions): Consumer {
    this.refuseClosed();
    const consumer = new BullMqConsumer({
      ...this.#options,
      ...options,
      ...{ queue, handler, broker: this.#broker, deliveries: this.#deliveries },
      onRequeued: (waitsIn, job, runAtMs) => this.#dispatch(waitsIn).publish(job, runAtMs),
      onOrphan: () => this.#recoverInBackground(),
    });
    this.#consumers.add(consumer);
    // What this process has enqueued before comes in its order, not as it happens to arrive.
    void this.#dispatch(queue)
      .inStep()
      .then(() => consumer.start());
    return {
      close: async (deadlineMs) => {
        await consumer.close(deadlineMs);
        this.#consumers.delete(consumer);
      },
    };
  }

  async cancel(jobId: string): Promise<CancelOutcome> {
    const outcome = await this.cancelRecorded(jobId);
    if (outcome === "cancelling") {
      this.abortHere(jobId);
      this.#broker.announceCancel(jobId);
    }
    return outcome;
  }

  async retryDead(jobId: string): Promise<void> {
    await this.retryRecorded(jobId);
    const row = await this.#options.jobs.find(jobId);
    if (row !== undefined) this.#publish(row.queue as QueueName, row);
  }

  async close(deadlineMs: number): Promise<void> {
    this.beginClose();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(deadlineMs)));
    this.#consumers.clear();
    await Promise.all([...this.#dispatches.values()].map((dispatch) => dispatch.close()));
    await this.#recovering;
    await this.#broker.close();
  }

  /** Some process was asked to cancel the job; it may run in this one. */
  abortHere(jobId: string): void {
    for (const consumer of this.#consumers) consumer.abortJob(jobId);
  }

  /** Redis is back, with or without what it knew before. */
  redisIsBack(): void {
    if (this.#isStarted && !this.isClosed) this.#recoverInBackground();
    this.#suspectLoss();
  }

  #suspectLoss(): void {
    for (const dispatch of this.#dispatches.values()) dispatch.suspect();
  }

  #publish(queue: QueueName, row: JobRow): void {
    this.#dispatch(queue).publish({ jobId: row.job_id, delivery: row.delivery, priority: row.priority }, row.run_at_ms);
  }

  #dispatch(queue: QueueName): TicketDispatch {
    const dispatch = this.#dispatches.get(queue);
    if (dispatch === undefined) throw new RangeError("a queue was expected");
    return dispatch;
  }

  #recoverInBackground(): void {
    this.#recover(false).catch((error: unknown) => this.#options.onError?.(error));
  }

  #recover(all: boolean): Promise<void> {
    this.#recovering ??= this.#recoverLost(all).finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  async #recoverLost(all: boolean): Promise<void> {
    // Without Redis nobody can say who is alive, and nobody could be given the jobs.
    if (!all && !this.#broker.isReady) return;
    const nowMs = this.#options.clock.nowMs();
    const runningHere = [...this.#consumers].flatMap((consumer) => consumer.runningJobIds());
    if (!all) runningHere.push(...(await this.#aliveElsewhere(nowMs)));
    if ((await this.recoverStalled({ nowMs, all, runningHere })) > 0) this.#suspectLoss();
  }

  /** Two machines may differ on the time; a lock that Redis still counts says that its worker lives. */
  async #aliveElsewhere(nowMs: number): Promise<readonly string[]> {
    const overdue = await this.#deliveries.overdue(nowMs);
    if (overdue.length === 0) return [];
    return this.#broker.alive(overdue).catch(() => overdue.map(({ jobId }) => jobId));
  }
}
