/** What carries the work between processes, or within one: database, queue, notices, and who else is alive. */
import { createMemoryResultCache } from "../../cache/backends/memory-result-cache.js";
import { createRedisResultCache } from "../../cache/backends/redis-result-cache.js";
import type { LookupOutcome, ResultCache } from "../../cache/result-cache.js";
import type { Config } from "../../config/config-schema.js";
import { systemClock } from "../../core/clock.js";
import type { Logger } from "../../core/log.js";
import { createMemoryEventBus } from "../../events/backends/memory-event-bus.js";
import { createRedisEventBus } from "../../events/backends/redis-event-bus.js";
import { createRedisTicketOffice } from "../../events/backends/redis-ticket-office.js";
import type { EventBus } from "../../events/event-bus.js";
import { createRedisRequestLimits } from "../../gateway/limits/redis-request-limits.js";
import { createMemoryRequestLimits, type RequestLimits } from "../../gateway/limits/request-limits.js";
import { errorFields } from "../../observability/error-fields.js";
import type { Metrics } from "../../observability/metrics.js";
import { createBullMqQueue } from "../../queue/backends/bullmq-queue-backend.js";
import { EmbeddedQueueBackend } from "../../queue/backends/embedded-queue-backend.js";
import type { JobRecord, QueueBackend } from "../../queue/queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../../queue/retry-policy.js";
import { createProcessRegistry, type ProcessRegistry } from "../../redis/process-registry.js";
import { createProcessRequests, type ProcessRequests } from "../../redis/process-requests.js";
import { createRedisConnections, type RedisAddress, type RedisConnections } from "../../redis/redis-connection.js";
import type { MasterKey } from "../../security/master-key.js";
import { createTicketOffice, type TicketOffice } from "../../security/ticket-office.js";
import type { AppDatabase } from "../../storage/database.js";
import { createJobRepository } from "../../storage/repositories/job-repository.js";

export interface Backbone {
  readonly bus: EventBus;
  readonly queue: QueueBackend & { start(): Promise<void> };
  /** Undefined where one process is all there is. */
  readonly registry: ProcessRegistry | undefined;
  readonly requests: ProcessRequests | undefined;
  readonly tickets: TicketOffice;
  readonly limits: RequestLimits;
  readonly resultCache: ResultCache;
  /** After the queue was closed. */
  close(): Promise<void>;
}

export interface BackboneParts {
  readonly config: Config;
  readonly masterKey: MasterKey;
  readonly database: AppDatabase;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly isShared: boolean;
  /** By which other processes know this one. */
  readonly processId: string;
  readonly onRecoveryEnded: (job: JobRecord) => Promise<void>;
}

/** Starts nothing. @throws AppError `CONFIG_INVALID` when the address of Redis can't be used */
export async function openBackbone(parts: BackboneParts): Promise<Backbone> {
  const { config, database, logger, metrics, isShared } = parts;
  const onLookup = (outcome: LookupOutcome): void => metrics.cacheLookups.inc({ outcome });
  const allowance = { perSecond: config.gateway.requestsPerSecond, burst: config.gateway.requestBurst };
  if (!isShared) {
    const bus = createMemoryEventBus();
    const queue = new EmbeddedQueueBackend({ jobs: createJobRepository({ database }), isExclusive: true, ...queueOptions(parts, bus) });
    const limits = createMemoryRequestLimits(allowance);
    const resultCache = createMemoryResultCache({ onLookup });
    const alone = { registry: undefined, requests: undefined, tickets: createTicketOffice(systemClock), limits, resultCache };
    return { bus, queue, ...alone, close: () => bus.close() };
  }
  const redis = await connectRedis(config, logger);
  const cache = await connectCache(config, logger);
  const { namespace } = config.redis;
  const onError = (error: unknown): void => logger.warn("Redis could not be told or asked something", errorFields(error));
  const bus = createRedisEventBus({ redis, namespace, onError });
  const registry = createProcessRegistry({ redis, namespace, onError });
  const jobs = createJobRepository({ database });
  const queue = await createBullMqQueue({ redis, namespace, database, jobs, isExclusive: false, ...queueOptions(parts, bus) });
  const ticketing = { client: redis.open("tickets", "caller"), key: parts.masterKey.derive("tickets"), clock: systemClock };
  return {
    ...{ bus, queue, registry, tickets: createRedisTicketOffice({ namespace, ...ticketing }) },
    limits: createRedisRequestLimits({
      client: (cache ?? redis).open("limits", "counter"),
      namespace,
      key: parts.masterKey.derive("request-limits"),
      allowance,
    }),
    resultCache: createRedisResultCache({ client: (cache ?? redis).open("results", "counter"), namespace, onLookup }),
    requests: createProcessRequests({ redis, namespace, ownId: parts.processId, onError }),
    async close() {
      await registry.close();
      await bus.close();
      redis.close();
      cache?.close();
    },
  };
}

/** Connections by the settings. */
export function connectRedis({ redis: { url, clusterNodes, caFile } }: Config, logger: Logger): Promise<RedisConnections> {
  return connect({ clusterNodes, ...(url === undefined ? {} : { url }) }, { caFile, logger });
}

/** To the Redis of what may be forgotten; undefined where it has none of its own. */
async function connectCache({ redis: { cacheUrl, caFile } }: Config, logger: Logger): Promise<RedisConnections | undefined> {
  return cacheUrl === undefined ? undefined : connect({ url: cacheUrl }, { caFile, logger });
}

function connect(address: RedisAddress, { caFile, logger }: { readonly caFile: string | undefined; readonly logger: Logger }): Promise<RedisConnections> {
  return createRedisConnections({
    address: { ...address, ...(caFile === undefined ? {} : { caFile }) },
    onError: (error) => logger.debug("A connection to Redis failed and is tried again", errorFields(error)),
  });
}

function queueOptions({ config, logger, metrics, onRecoveryEnded }: BackboneParts, bus: EventBus) {
  return {
    clock: systemClock,
    retryPolicy: { ...DEFAULT_RETRY_POLICY, firstDelayMs: config.queue.firstRetryDelayMs },
    leaseMs: config.queue.leaseMs,
    pollIntervalMs: config.queue.pollIntervalMs,
    maxStalls: 5,
    onOutcome: (queue: string, jobName: string, outcome: string, durationMs: number) => {
      metrics.jobsFinished.inc({ queue, outcome });
      metrics.jobSeconds.observe({ job_name: jobName }, durationMs / 1000);
    },
    onEnded: (jobId: string) => bus.publish(`task/${jobId}`),
    onRecoveryEnded: (job: JobRecord) => {
      onRecoveryEnded(job).catch((error: unknown) => logger.warn("A call could not be marked as ended", errorFields(error)));
    },
    onError: (error: unknown) => logger.warn("A job failed or the queue could not reach its database", errorFields(error)),
  };
}
