/** The worker: consumers of the queues this process serves, with one handler a job name. */
import { AppError } from "../core/errors.js";
import { type Consumer, type JobHandler, PermanentJobError, type QueueBackend, type QueueName } from "../queue/queue-backend.js";

export interface WorkerRuntimeOptions {
  readonly queue: QueueBackend;
  readonly queues: readonly QueueName[];
  readonly handlers: Readonly<Record<string, JobHandler>>;
  /** Jobs in work at once, per queue. */
  readonly concurrency: number;
  /** Jobs a minute, of all processes that serve a queue; absent: as many as come. */
  readonly jobsPerMinute?: ReadonlyMap<QueueName, number>;
}

export interface WorkerRuntime {
  readonly queues: readonly QueueName[];
  readonly concurrency: number;
  stop(deadlineMs: number): Promise<void>;
}

/** Starts taking jobs at once. A job whose name has no handler is dead, not retried. */
export function startWorkerRuntime(options: WorkerRuntimeOptions): WorkerRuntime {
  const dispatch: JobHandler = (context) => {
    const handler = options.handlers[context.job.jobName];
    if (handler === undefined) throw new PermanentJobError("INTERNAL", { cause: new AppError("INTERNAL", "no handler for this job name") });
    return handler(context);
  };
  const consumers: readonly Consumer[] = options.queues.map((name) => {
    const max = options.jobsPerMinute?.get(name);
    return options.queue.consume(name, dispatch, {
      concurrency: options.concurrency,
      ...(max === undefined ? {} : { rateLimit: { max, durationMs: 60_000 } }),
    });
  });
  return {
    queues: options.queues,
    concurrency: options.concurrency,
    stop: async (deadlineMs) => {
      await Promise.all(consumers.map((consumer) => consumer.close(deadlineMs)));
    },
  };
}
