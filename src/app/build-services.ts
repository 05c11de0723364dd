/** Builds the services from a `Config`: the only place where concrete backends are chosen and wired together. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRecordingDecoder, type RecordingDecoder } from "../audio/decoder.js";
import { type CallAudio, createCallAudio } from "../calls/call-audio.js";
import { type CallEndingDependencies, endCall } from "../calls/call-ending.js";
import { type CallEventLog, createCallEventLog } from "../calls/call-event-log.js";
import { type CallHistory, createCallHistory } from "../calls/call-history.js";
import { createLiveRecordings, type LiveRecordings } from "../calls/live-recordings.js";
import { removeOrphanAudio } from "../calls/orphan-audio.js";
import { createRecordingBatches, type RecordingBatches } from "../calls/recording-batches.js";
import { createRecordingIntake, type RecordingIntake } from "../calls/recording-intake.js";
import { createRecordingProcessing } from "../calls/recording-processing.js";
import { createRecordingTasks, type RecordingTasks } from "../calls/recording-tasks.js";
import type { Config } from "../config/config-schema.js";
import { systemClock } from "../core/clock.js";
import { isId } from "../core/ids.js";
import type { Logger } from "../core/log.js";
import { processEntry } from "../core/module-entry.js";
import { createMemoryEventBus } from "../events/backends/memory-event-bus.js";
import type { EventBus } from "../events/event-bus.js";
import { InferencePool } from "../inference/pool/inference-pool.js";
import { createProcessRecordingHandler } from "../jobs/process-recording.js";
import { startWorkerRuntime, type WorkerRuntime } from "../jobs/worker-runtime.js";
import { errorFields } from "../observability/error-fields.js";
import type { Metrics } from "../observability/metrics.js";
import { callOfJobPayload, PROCESS_RECORDING } from "../protocol/job-payloads.js";
import { EmbeddedQueueBackend } from "../queue/backends/embedded-queue-backend.js";
import type { JobRecord, QueueBackend } from "../queue/queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../queue/retry-policy.js";
import { type Authenticator, createAuthenticator } from "../security/authentication.js";
import { authorize, EXCHANGE } from "../security/authorization.js";
import type { MasterKey } from "../security/master-key.js";
import { createSealerFactory, type SealerFactory } from "../security/sealed-text.js";
import { createFilesystemAudioStore } from "../storage/backends/filesystem-audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import { openDatabase } from "../storage/database.js";
import { createAnalysisRepository } from "../storage/repositories/analysis-repository.js";
import { type ApiKeyRepository, createApiKeyRepository } from "../storage/repositories/api-key-repository.js";
import { type AuditRepository, createAuditRepository } from "../storage/repositories/audit-repository.js";
import { createBatchRepository } from "../storage/repositories/batch-repository.js";
import { createCallEventRepository } from "../storage/repositories/call-event-repository.js";
import { type CallRepository, createCallRepository } from "../storage/repositories/call-repository.js";
import { createJobRepository } from "../storage/repositories/job-repository.js";
import type { InferenceProcessArguments } from "./inference-process.js";
import { dataLayout, packageAssets } from "./paths.js";

export interface Services {
  readonly database: AppDatabase;
  readonly queue: QueueBackend;
  readonly inference: InferencePool;
  readonly decoder: RecordingDecoder;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly authenticator: Authenticator;
  readonly intake: RecordingIntake;
  readonly tasks: RecordingTasks;
  readonly batches: RecordingBatches;
  readonly eventLog: CallEventLog;
  readonly history: CallHistory;
  readonly callAudio: CallAudio;
  readonly liveRecordings: LiveRecordings;
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
}

/** Opens and migrates the database, starts the model pool and the queue. The data directory must be locked already. */
export async function buildServices({ config, masterKey, logger, metrics }: BuildServicesOptions): Promise<Services> {
  const layout = dataLayout(config.dataDirectory, config.security.masterKeyFile);
  await mkdir(layout.work, { recursive: true, mode: 0o700 });
  await removeLeftWork(layout.work);
  const database = openDatabase({ path: layout.database, onStatement: (kind, ms) => metrics.databaseSeconds.observe({ kind }, ms / 1000) });
  const inference = createPool(config, logger, metrics);
  try {
    await database.migrate();
    const sealers = createSealerFactory(masterKey);
    const calls = createCallRepository({ database, sealers });
    const stores = createStores({ database, calls, masterKey, metrics });
    const bus = createMemoryEventBus();
    // The queue tells of jobs that ended, the log of events asks the queue of jobs: one of them comes later.
    const ending: { endJob?: (job: JobRecord) => Promise<void> } = {};
    const queue = createQueue(config, { database, logger, metrics, bus, onRecoveryEnded: (job) => ending.endJob?.(job) ?? Promise.resolve() });
    const eventLog = createCallEventLog({ calls, events: stores.events, bus, queue, audit: stores.audit, clock: systemClock });
    ending.endJob = (job) => endCallOfJob({ database, calls, eventLog }, job);
    await Promise.all([inference.start(), queue.start()]);
    return await wire({
      config,
      masterKey,
      logger,
      metrics,
      database,
      sealers,
      ...stores,
      inference,
      queue,
      bus,
      eventLog,
      workDirectory: layout.work,
      audioDirectory: layout.audio,
    });
  } catch (error) {
    await inference.close();
    await database.close();
    throw error;
  }
}

/** Recordings in clear that a process which died left behind; nothing that is not named like a task of ours. */
async function removeLeftWork(workDirectory: string): Promise<void> {
  for (const name of await readdir(workDirectory)) {
    if (isId(name)) await rm(join(workDirectory, name), { recursive: true, force: true });
  }
}

/** Command line of a model process. */
export function inferenceProcessArguments(): readonly string[] {
  const { languageData, voiceActivityModel } = packageAssets();
  const values: InferenceProcessArguments = { dataDirectory: languageData, voiceActivityModelPath: voiceActivityModel };
  return [JSON.stringify(values)];
}

function createPool(config: Config, logger: Logger, metrics: Metrics): InferencePool {
  return new InferencePool({
    entry: processEntry(import.meta.url, "./inference-process"),
    entryArguments: inferenceProcessArguments(),
    processCount: config.inference.processes || availableParallelism(),
    maxWaiting: config.inference.maxWaiting,
    logger,
    onFinished: (modelTask, outcome) => metrics.modelRequests.inc({ model_task: modelTask, outcome }),
    onProcessCount: (count) => metrics.modelProcesses.set(count),
    onRestart: () => metrics.modelProcessRestarts.inc(),
  });
}

interface StoreParts {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly masterKey: MasterKey;
  readonly metrics: Metrics;
}

function createStores({ database, calls, masterKey, metrics }: StoreParts) {
  return {
    calls,
    analyses: createAnalysisRepository({ database }),
    events: createCallEventRepository({ database }),
    batches: createBatchRepository({ database }),
    apiKeys: createApiKeyRepository({ database }),
    audit: createAuditRepository({ database, key: masterKey.derive("audit-chain"), onAppend: (outcome) => metrics.auditRecords.inc({ outcome }) }),
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

interface WireOptions extends BuildServicesOptions, ReturnType<typeof createStores> {
  readonly database: AppDatabase;
  readonly sealers: SealerFactory;
  readonly bus: EventBus;
  readonly eventLog: CallEventLog;
  readonly inference: InferencePool;
  readonly queue: EmbeddedQueueBackend;
  readonly workDirectory: string;
  readonly audioDirectory: string;
}

async function wire(options: WireOptions): Promise<Services> {
  const { config, masterKey, logger, metrics, database, sealers, inference, queue, bus, eventLog, workDirectory, audioDirectory } = options;
  const { calls, analyses, batches, apiKeys, audit } = options;
  const audioStore = await createFilesystemAudioStore({ directory: audioDirectory });
  const orphans = await removeOrphanAudio({ audioStore, calls });
  if (orphans > 0) logger.info("Removed recordings of uploads that were never acknowledged", { count: orphans });
  const { maxDurationMs, decodeTimeoutMs, decoder: prefer, maxBytes } = config.audio;
  const decoder = createRecordingDecoder({ maxDurationMs, timeoutMs: decodeTimeoutMs, prefer });
  const processing = createRecordingProcessing({
    ...{ database, calls, analyses, eventLog, audioStore, decoder, inference, workDirectory, clock: systemClock },
    defaultLanguages: config.language.defaults,
    translationTarget: config.language.translationTarget,
    onStage: ({ report }) => metrics.stageSeconds.observe({ stage: report.stage, status: report.status }, report.durationMs / 1000),
    onAnalysed: ({ audio }) => {
      for (const fate of ["speech", "silence", "paused", "failed"] as const) metrics.audioSeconds.inc({ fate }, (audio?.ledger[`${fate}Ms`] ?? 0) / 1000);
    },
  });
  const intake = createRecordingIntake({
    ...{ database, calls, sealers, audioStore, queue, eventLog, audit, clock: systemClock, maxBytes },
    maxAttempts: config.queue.maxAttempts,
    fingerprintKey: masterKey.derive("recording-fingerprint"),
  });
  return {
    ...{ database, queue, inference, decoder, audit, apiKeys, intake, eventLog },
    batches: createRecordingBatches({ intake, batches, queue, clock: systemClock }),
    history: createCallHistory({ database, calls, analyses, audioStore, queue, audit, clock: systemClock }),
    callAudio: createCallAudio({ calls, audioStore, decoder, audit, clock: systemClock, workDirectory }),
    liveRecordings: createLiveRecordings({
      intake,
      authorized: authorize(EXCHANGE, "recording:create"),
      clock: systemClock,
      logger,
      lingerMs: config.telephony.lingerMs,
      language: "auto",
      speechEngine: config.inference.speechEngine,
    }),
    authenticator: createAuthenticator({ keys: apiKeys }),
    tasks: createRecordingTasks({ database, queue, calls, analyses, eventLog, audit, clock: systemClock }),
    startWorker: () =>
      startWorkerRuntime({
        queue,
        queues: ["recordings"],
        handlers: { [PROCESS_RECORDING]: createProcessRecordingHandler(processing) },
        concurrency: config.queue.concurrency || availableParallelism(),
      }),
    async close(deadlineMs) {
      await queue.close(deadlineMs);
      await bus.close();
      await inference.close();
      await database.close();
    },
  };
}
