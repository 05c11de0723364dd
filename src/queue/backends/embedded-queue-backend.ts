/**
 * The embedded queue: jobs in our own database, claimed by consumers in this process. Nothing to install, nothing to
 * run beside it, and a power cut loses nothing that was acknowledged. See docs/decisions/0003.
 */
import type { UnitOfWork } from "../../storage/unit-of-work.js";
import type { CancelOutcome, ConsumeOptions, Consumer, EnqueuedJob, JobHandler, NewJob, QueueBackend, QueueName } from "../queue-backend.js";
import { EmbeddedConsumer } from "./embedded-consumer.js";
import { RecordedQueue, type RecordedQueueOptions } from "./recorded-queue.js";
import { StartLimit } from "./start-limit.js";

export class EmbeddedQueueBackend extends RecordedQueue implements QueueBackend {
  readonly capabilities = { multiProcess: false } as const;
  readonly #options: RecordedQueueOptions;
  readonly #consumers = new Map<EmbeddedConsumer, QueueName>();
  readonly #startLimits = new Map<QueueName, StartLimit>();

  constructor(options: RecordedQueueOptions) {
    super(options);
    this.#options = options;
  }

  /** Gives back jobs a dead process held, then keeps watching for stalled ones. Call once, before `consume`. */
  async start(): Promise<void> {
    await this.#recover(this.#options.isExclusive);
    this.scheduleRecovery(() => this.#recover(false));
  }

  async enqueue(queue: QueueName, job: NewJob, options: { readonly unitOfWork?: UnitOfWork } = {}): Promise<EnqueuedJob> {
    this.refuseClosed();
    const [enqueued] = await this.#options.jobs.insert([this.newRow(queue, job)], options.unitOfWork);
    if (enqueued === undefined) throw new RangeError("insert returned nothing");
    if (options.unitOfWork === undefined) this.#wake(queue);
    else options.unitOfWork.afterCommit(() => this.#wake(queue));
    return enqueued;
  }

  async enqueueMany(queue: QueueName, jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.refuseClosed();
    if (jobs.length === 0) return [];
    const enqueued = await this.#options.jobs.insert(jobs.map((job) => this.newRow(queue, job)));
    this.#wake(queue);
    return enqueued;
  }

  consume(queue: QueueName, handler: JobHandler, options: ConsumeOptions): Consumer {
    this.refuseClosed();
    const onHandedOn = (waitsIn: QueueName): void => this.#wake(waitsIn);
    const startLimit = this.#startLimitOf(queue, options);
    const consumer = new EmbeddedConsumer({ ...this.#options, queue, handler, concurrency: options.concurrency, startLimit, onHandedOn });
    this.#consumers.set(consumer, queue);
    consumer.start();
    return {
      close: async (deadlineMs) => {
        await consumer.close(deadlineMs);
        this.#consumers.delete(consumer);
      },
    };
  }

  async cancel(jobId: string): Promise<CancelOutcome> {
    const outcome = await this.cancelRecorded(jobId);
    if (outcome === "cancelling") for (const consumer of this.#consumers.keys()) consumer.abortJob(jobId);
    return outcome;
  }

  async retryDead(jobId: string): Promise<void> {
    await this.retryRecorded(jobId);
    for (const consumer of this.#consumers.keys()) consumer.wake();
  }

  async close(deadlineMs: number): Promise<void> {
    this.beginClose();
    await Promise.all([...this.#consumers.keys()].map((consumer) => consumer.close(deadlineMs)));
    this.#consumers.clear();
  }

  #startLimitOf(queue: QueueName, { rateLimit }: ConsumeOptions): StartLimit | undefined {
    if (rateLimit !== undefined && !this.#startLimits.has(queue)) this.#startLimits.set(queue, new StartLimit(rateLimit));
    return this.#startLimits.get(queue);
  }

  #wake(queue: QueueName): void {
    for (const [consumer, consumed] of this.#consumers) if (consumed === queue) consumer.wake();
  }

  async #recover(all: boolean): Promise<void> {
    const runningHere = [...this.#consumers.keys()].flatMap((consumer) => consumer.runningJobIds());
    const requeued = await this.recoverStalled({ nowMs: this.#options.clock.nowMs(), all, runningHere });
    if (requeued > 0) for (const consumer of this.#consumers.keys()) consumer.wake();
  }
}
