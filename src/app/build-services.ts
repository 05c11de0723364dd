/** Builds the services from a `Config`: the only place where concrete backends are chosen and wired together. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRecordingDecoder, type RecordingDecoder } from "../audio/decoder.js";
import { type CallEndingDependencies, endCall } from "../calls/call-ending.js";
import { createCallEventLog } from "../calls/call-event-log.js";
import { removeOrphanAudio } from "../calls/orphan-audio.js";
import type { Config } from "../config/config-schema.js";
import { systemClock } from "../core/clock.js";
import { isId } from "../core/ids.js";
import type { Logger } from "../core/log.js";
import { type ProcessEntry, processEntry } from "../core/module-entry.js";
import { createMemoryEventBus } from "../events/backends/memory-event-bus.js";
import type { EventBus } from "../events/event-bus.js";
import { InferencePool } from "../inference/pool/inference-pool.js";
import { createAnswerQuestionHandler } from "../jobs/answer-question.js";
import { createProcessRecordingHandler } from "../jobs/process-recording.js";
import { startWorkerRuntime, type WorkerRuntime } from "../jobs/worker-runtime.js";
import { errorFields } from "../observability/error-fields.js";
import type { Metrics } from "../observability/metrics.js";
import { ANSWER_QUESTION, callOfJobPayload, PROCESS_RECORDING } from "../protocol/job-payloads.js";
import { EmbeddedQueueBackend } from "../queue/backends/embedded-queue-backend.js";
import type { JobRecord, QueueBackend } from "../queue/queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../queue/retry-policy.js";
import { type Authenticator, createAuthenticator } from "../security/authentication.js";
import type { MasterKey } from "../security/master-key.js";
import { type AppDatabase, openDatabase } from "../storage/database.js";
import type { ApiKeyRepository } from "../storage/repositories/api-key-repository.js";
import type { AuditRepository } from "../storage/repositories/audit-repository.js";
import { createJobRepository } from "../storage/repositories/job-repository.js";
import { buildUseCases, type UseCases } from "./build-use-cases.js";
import type { InferenceProcessArguments } from "./inference-process.js";
import { openStores, type Stores } from "./open-stores.js";
import { dataLayout, packageAssets } from "./paths.js";
import { tokenVerifierOf } from "./token-verifier.js";

export interface Services extends UseCases {
  readonly database: AppDatabase;
  readonly queue: QueueBackend;
  readonly inference: InferencePool;
  readonly decoder: RecordingDecoder;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly authenticator: Authenticator;
  /** Starts taking jobs. */
  startWorker(): WorkerRuntime;
  /** Stops in reverse order of building; running jobs get `deadlineMs`, then go back to the queue. */
  close(deadlineMs: number): Promise<void>;
}

export interface BuildServicesOptions {
  readonly config: Config;
  readonly masterKey: MasterKey;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The model process; ours by default. */
  readonly inferenceEntry?: ProcessEntry;
}

/** Opens and migrates the database, starts the model pool and the queue. The data directory must be locked already. */
export async function buildServices({ config, masterKey, logger, metrics, inferenceEntry }: BuildServicesOptions): Promise<Services> {
  const layout = dataLayout(config.dataDirectory, config.security.masterKeyFile);
  await mkdir(layout.work, { recursive: true, mode: 0o700 });
  await removeLeftWork(layout.work);
  const database = openDatabase({ path: layout.database, onStatement: (kind, ms) => metrics.databaseSeconds.observe({ kind }, ms / 1000) });
  const inference = createPool(config, {
    workDirectory: layout.work,
    logger,
    metrics,
    entry: inferenceEntry ?? processEntry(import.meta.url, "./inference-process"),
  });
  try {
    await database.migrate();
    const stores = await openStores({
      database,
      masterKey,
      metrics,
      audioDirectory: layout.audio,
      journal: { directory: layout.live, writeIntervalMs: config.live.journalWriteMs, syncIntervalMs: config.live.journalSyncMs },
    });
    await removeOrphans(stores, logger);
    const bus = createMemoryEventBus();
    // The queue tells of jobs that ended, the log of events asks the queue of jobs: one of them comes later.
    const ending: { endJob?: (job: JobRecord) => Promise<void> } = {};
    const queue = createQueue(config, { database, logger, metrics, bus, onRecoveryEnded: (job) => ending.endJob?.(job) ?? Promise.resolve() });
    const { calls, audit, apiKeys } = stores;
    const eventLog = createCallEventLog({ calls, events: stores.events, bus, queue, audit, clock: systemClock });
    ending.endJob = (job) => endCallOfJob({ database, calls, eventLog }, job);
    await Promise.all([inference.start(), queue.start()]);
    const { maxDurationMs, decodeTimeoutMs, decoder: prefer } = config.audio;
    const decoder = createRecordingDecoder({ maxDurationMs, timeoutMs: decodeTimeoutMs, prefer });
    const parts = { config, masterKey, logger, metrics, database, stores, queue, bus, eventLog, inference, decoder, workDirectory: layout.work };
    const useCases = await buildUseCases(parts);
    return {
      ...{ ...useCases, database, queue, inference, decoder, audit, apiKeys },
      authenticator: createAuthenticator({ keys: apiKeys, ...(await tokenVerifierOf(config)) }),
      startWorker: () => startWorker(config, queue, useCases),
      async close(deadlineMs) {
        await queue.close(deadlineMs);
        await useCases.delivery.close();
        await useCases.voiceActivity.close();
        await bus.close();
        await inference.close();
        await database.close();
      },
    };
  } catch (error) {
    await inference.close();
    await database.close();
    throw error;
  }
}

async function removeOrphans({ audioStore, calls, modelTaskRecords }: Stores, logger: Logger): Promise<void> {
  const count = await removeOrphanAudio({ audioStore, calls, modelTasks: modelTaskRecords });
  if (count > 0) logger.info("Removed recordings of uploads that were never acknowledged", { count });
}

function startWorker(config: Config, queue: QueueBackend, { processing, answering }: UseCases): WorkerRuntime {
  return startWorkerRuntime({
    queue,
    queues: ["recordings", "models"],
    handlers: { [PROCESS_RECORDING]: createProcessRecordingHandler(processing), [ANSWER_QUESTION]: createAnswerQuestionHandler(answering) },
    concurrency: config.queue.concurrency || availableParallelism(),
  });
}

/** What speech engines name their scratch directories by. */
const SPEECH_SCRATCH_PREFIX = "speech-";

/** Recordings in clear that a process which died left behind; nothing that is not named like a task of ours. */
async function removeLeftWork(workDirectory: string): Promise<void> {
  for (const name of await readdir(workDirectory)) {
    if (isId(name) || name.startsWith(SPEECH_SCRATCH_PREFIX)) await rm(join(workDirectory, name), { recursive: true, force: true });
  }
}

/** Command line of a model process. */
export function inferenceProcessArguments(parts: Omit<InferenceProcessArguments, "dataDirectory" | "voiceActivityModelPath">): readonly string[] {
  const { languageData, voiceActivityModel } = packageAssets();
  const values: InferenceProcessArguments = { dataDirectory: languageData, voiceActivityModelPath: voiceActivityModel, ...parts };
  return [JSON.stringify(values)];
}

interface PoolParts {
  readonly workDirectory: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly entry: ProcessEntry;
}

function createPool(config: Config, { workDirectory, logger, metrics, entry }: PoolParts): InferencePool {
  const { processes, glossaryFile, ...inference } = config.inference;
  const processCount = processes || availableParallelism();
  const threads = Math.max(1, Math.floor(availableParallelism() / processCount));
  return new InferencePool({
    entry,
    entryArguments: inferenceProcessArguments({
      ...{ workDirectory, threads },
      modelsDirectory: inference.modelsDirectory,
      device: inference.device,
      modelMemoryMb: inference.memoryMb,
      modelIdleMs: inference.idleMs,
      whisperWindowMargin: inference.whisperWindowMargin,
      whisperPreviousText: inference.whisperPreviousText,
      ...(glossaryFile === undefined ? {} : { glossaryFile }),
      ...remoteServers(config),
    }),
    textProcessCount: 1,
    processCount,
    maxWaiting: inference.maxWaiting,
    logger,
    onFinished: (modelTask, outcome) => metrics.modelRequests.inc({ model_task: modelTask, outcome }),
    onProcessCount: (count) => metrics.modelProcesses.set(count),
    onRestart: () => metrics.modelProcessRestarts.inc(),
  });
}

function remoteServers({ remote }: Config): Pick<InferenceProcessArguments, "remoteSpeech" | "remoteChat"> {
  const { speechUrl, chatUrl, apiKeyFile, chatTasks: tasks, chatMaxCharacters: maxCharacters } = remote;
  const key = apiKeyFile === undefined ? {} : { apiKeyFile };
  return {
    ...(speechUrl === undefined ? {} : { remoteSpeech: { baseUrl: speechUrl, model: remote.speechModel, timeoutMs: remote.timeoutMs, ...key } }),
    ...(chatUrl === undefined
      ? {}
      : { remoteChat: { server: { baseUrl: chatUrl, model: remote.chatModel, timeoutMs: remote.chatTimeoutMs, ...key }, tasks, maxCharacters } }),
  };
}

interface QueueParts {
  readonly database: AppDatabase;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bus: EventBus;
  readonly onRecoveryEnded: (job: JobRecord) => Promise<void>;
}

function createQueue(config: Config, { database, logger, metrics, bus, onRecoveryEnded }: QueueParts): EmbeddedQueueBackend {
  return new EmbeddedQueueBackend({
    jobs: createJobRepository({ database }),
    clock: systemClock,
    retryPolicy: { ...DEFAULT_RETRY_POLICY, firstDelayMs: config.queue.firstRetryDelayMs },
    leaseMs: config.queue.leaseMs,
    pollIntervalMs: config.queue.pollIntervalMs,
    isExclusive: true,
    maxStalls: 5,
    onOutcome: (queue, jobName, outcome, durationMs) => {
      metrics.jobsFinished.inc({ queue, outcome });
      metrics.jobSeconds.observe({ job_name: jobName }, durationMs / 1000);
    },
    onEnded: (jobId) => bus.publish(`task/${jobId}`),
    onRecoveryEnded: (job) => void onRecoveryEnded(job).catch((error: unknown) => logger.warn("A call could not be marked as ended", errorFields(error))),
    onError: (error) => logger.warn("A job failed or the queue could not reach its database", errorFields(error)),
  });
}

/** The call of a recording whose job ended without its handler ends as the job did. */
async function endCallOfJob(dependencies: CallEndingDependencies, job: JobRecord): Promise<void> {
  const callId = callOfJobPayload(job.payload);
  if (callId === undefined || (job.status !== "failed" && job.status !== "cancelled")) return;
  await endCall(dependencies, { taskId: job.jobId, callId, status: job.status, errorCode: job.errorCode ?? "QUEUE_JOB_STALLED" });
}
