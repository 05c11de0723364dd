/**
 * What we use of BullMQ, and the only file that imports it. It carries tickets, not jobs: a ticket is the id of a job
 * and the number of the delivery it is good for, so publishing one twice is publishing it once, and one that comes too
 * late claims nothing. See docs/decisions/0016.
 */
import type { Job, Queue, Worker } from "bullmq";
import { type RedisClient, type RedisConnections, redisUnavailable } from "../../redis/redis-connection.js";
import type { OverdueJob, WaitingJob } from "../../storage/repositories/job-delivery-repository.js";
import type { Delivery } from "../../storage/repositories/job-repository.js";
import { type ConsumeOptions, QUEUE_NAMES, type QueueName } from "../queue-backend.js";

export interface TicketWorkerOptions extends ConsumeOptions {
  /** A ticket whose worker does not renew its lock for this long is given to another. */
  readonly lockMs: number;
  /** `isRepeated`: its worker before is gone. Resolves when the ticket is used up, or is to be given to another. */
  readonly onTicket: (ticket: Delivery, isRepeated: boolean) => Promise<"used" | "returned">;
}

export interface TicketWorker {
  /** Keeps the tickets that are in work. */
  renewLocks(): void;
  /** Takes no more tickets, and resolves when those in work are used up. */
  close(): Promise<void>;
}

export interface TicketBroker {
  /** False while Redis is away. */
  readonly isReady: boolean;
  /** @throws when Redis is away; some of the tickets may have been published. */
  publish(queue: QueueName, jobs: readonly WaitingJob[]): Promise<void>;
  /** Those of the jobs whose ticket Redis has never had, or has lost. */
  withoutTicket(queue: QueueName, jobs: readonly WaitingJob[]): Promise<readonly WaitingJob[]>;
  /** Tickets that wait or are in work. */
  count(queue: QueueName): Promise<number>;
  /** Those of the running jobs whose worker shows signs of life. */
  alive(jobs: readonly OverdueJob[]): Promise<readonly string[]>;
  openWorker(queue: QueueName, options: TicketWorkerOptions): TicketWorker;
  /** Tells every process that a running job is to stop. Lossy; leases tell it as well, later. */
  announceCancel(jobId: string): void;
  close(): Promise<void>;
}

export interface BrokerOptions {
  readonly redis: RedisConnections;
  /** First part of every key; processes of one service share it. */
  readonly namespace: string;
  readonly onCancel: (jobId: string) => void;
  /** Redis is there, for the first time or again. */
  readonly onReady: () => void;
  /** Told once each time Redis goes away. */
  readonly onError: (error: unknown) => void;
}

/** BullMQ's priorities go from 1, the first, upwards; ours from -100 to 100, the first. */
const LOWEST_PRIORITY = 101;
const RETRY_DELAY_MS = 500;
const MAX_STALLED_INTERVAL_MS = 30_000;
/** A ticket that was lost again and again: whether its job is a killer is for the table to say. */
const MAX_STALLED_COUNT = 1_000_000;
/** Nobody reads BullMQ's own events. */
const KEPT_EVENTS = 100;

/** Loads BullMQ; connects in the background. */
export async function createTicketBroker(options: BrokerOptions): Promise<TicketBroker> {
  return new BullMqBroker(options, await import("bullmq"));
}

class BullMqBroker implements TicketBroker {
  readonly #options: BrokerOptions;
  readonly #bullmq: typeof import("bullmq");
  readonly #caller: RedisClient;
  readonly #queues: ReadonlyMap<QueueName, Queue>;
  #workerClient: RedisClient | undefined;
  #subscriber: RedisClient | undefined;
  #isReported = false;

  constructor(options: BrokerOptions, bullmq: typeof import("bullmq")) {
    this.#options = options;
    this.#bullmq = bullmq;
    const { redis, onReady } = options;
    this.#caller = redis.open("queue", "caller");
    this.#caller.on("ready", () => {
      this.#isReported = false;
      onReady();
    });
    this.#queues = new Map(QUEUE_NAMES.map((name) => [name, this.#openQueue(name)]));
  }

  get isReady(): boolean {
    return this.#caller.status === "ready";
  }

  async publish(queue: QueueName, jobs: readonly WaitingJob[]): Promise<void> {
    const added = jobs.map((job) => ({
      name: "ticket",
      data: {},
      opts: { jobId: ticketId(job), priority: LOWEST_PRIORITY - Math.max(-100, Math.min(100, job.priority)), removeOnComplete: true, removeOnFail: true },
    }));
    await this.#asked(this.#queue(queue).addBulk(added));
  }

  async withoutTicket(queue: QueueName, jobs: readonly WaitingJob[]): Promise<readonly WaitingJob[]> {
    const found = await this.#exist(jobs.map((job) => this.#queue(queue).toKey(ticketId(job))));
    return jobs.filter((_, index) => found[index] === false);
  }

  async count(queue: QueueName): Promise<number> {
    const counts = await this.#asked(this.#queue(queue).getJobCounts("wait", "prioritized", "active"));
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  async alive(jobs: readonly OverdueJob[]): Promise<readonly string[]> {
    const alive: string[] = [];
    // A queue at a time: in a cluster, the keys of two queues may lie on two servers.
    for (const queue of QUEUE_NAMES) {
      const ofQueue = jobs.filter((job) => job.queue === queue);
      const locks = ofQueue.map(({ jobId, delivery }) => `${this.#queue(queue).toKey(ticketId({ jobId, delivery: delivery - 1 }))}:lock`);
      const found = await this.#exist(locks);
      for (const [index, { jobId }] of ofQueue.entries()) if (found[index] === true) alive.push(jobId);
    }
    return alive;
  }

  openWorker(queue: QueueName, { concurrency, rateLimit, lockMs, onTicket }: TicketWorkerOptions): TicketWorker {
    const { Worker: BullMqWorker, WaitingError } = this.#bullmq;
    this.#listenForCancels();
    this.#workerClient ??= this.#options.redis.open("queue-worker", "worker");
    const tokens = new Map<string, string>();
    const process = async (job: Job, token = ""): Promise<void> => {
      const id = job.id ?? "";
      tokens.set(id, token);
      try {
        if ((await onTicket(parseTicketId(id), job.stalledCounter > 0)) === "used") return;
        await job.moveToWait(token);
      } finally {
        tokens.delete(id);
      }
      throw new WaitingError();
    };
    const worker: Worker = new BullMqWorker(queue, process, {
      ...this.#queueOptions(queue, this.#workerClient),
      ...{ concurrency, lockDuration: lockMs, skipLockRenewal: true, stalledInterval: Math.min(lockMs, MAX_STALLED_INTERVAL_MS) },
      ...{ maxStalledCount: MAX_STALLED_COUNT, runRetryDelay: RETRY_DELAY_MS },
      ...(rateLimit === undefined ? {} : { limiter: { max: rateLimit.max, duration: rateLimit.durationMs } }),
    });
    worker.on("error", (error) => this.#report(error));
    return {
      renewLocks: () => {
        if (tokens.size === 0) return;
        worker.extendJobLocks([...tokens.keys()], [...tokens.values()], lockMs).catch((error: unknown) => this.#report(error));
      },
      close: () => worker.close(),
    };
  }

  announceCancel(jobId: string): void {
    this.#caller.publish(this.#cancelChannel, jobId).catch((error: unknown) => this.#report(error));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => {})));
    for (const client of [this.#caller, this.#subscriber, this.#workerClient]) client?.disconnect();
  }

  get #cancelChannel(): string {
    return `${this.#options.namespace}:cancel`;
  }

  /** Only who runs jobs needs to hear of it. */
  #listenForCancels(): void {
    if (this.#subscriber !== undefined) return;
    const { redis, onCancel } = this.#options;
    this.#subscriber = redis.open("queue-cancel", "subscriber");
    this.#subscriber.on("message", (_channel: string, jobId: string) => onCancel(jobId));
    this.#subscriber.subscribe(this.#cancelChannel).catch((error: unknown) => this.#report(error));
  }

  #openQueue(name: QueueName): Queue {
    const queue = new this.#bullmq.Queue(name, { ...this.#queueOptions(name, this.#caller), streams: { events: { maxLen: KEPT_EVENTS } } });
    queue.on("error", (error) => this.#report(error));
    return queue;
  }

  /** The part of a key in braces decides on which server of a cluster it lies: all of one queue's on the same. */
  #queueOptions(name: QueueName, connection: RedisClient) {
    return { connection, prefix: `{${this.#options.namespace}:${name}}`, skipVersionCheck: true };
  }

  #queue(name: QueueName): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new RangeError("a queue was expected");
    return queue;
  }

  async #exist(keys: readonly string[]): Promise<readonly boolean[]> {
    if (keys.length === 0) return [];
    const pipeline = this.#caller.pipeline();
    for (const key of keys) pipeline.exists(key);
    const answers = (await this.#asked(pipeline.exec())) ?? [];
    return answers.map(([error, count]) => {
      if (error !== null) throw redisUnavailable(error);
      return count === 1;
    });
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#report(error);
      throw redisUnavailable(error);
    }
  }

  #report(error: unknown): void {
    // A ticket that was lost with its Redis, or was given to another worker meanwhile: the table knows what became of it.
    if (/^(Missing (lock|key)|Lock mismatch|Job \S+ is not in the active state)/.test(error instanceof Error ? error.message : "")) return;
    if (this.#isReported) return;
    this.#isReported = true;
    this.#options.onError(redisUnavailable(error));
  }
}

function ticketId({ jobId, delivery }: Delivery): string {
  return `${jobId}.${delivery}`;
}

function parseTicketId(id: string): Delivery {
  const end = id.lastIndexOf(".");
  return { jobId: id.slice(0, end), delivery: Number(id.slice(end + 1)) };
}
