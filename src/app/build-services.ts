/** Builds the services from a `Config`: the only place where concrete backends are chosen and wired together. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createRecordingDecoder, type RecordingDecoder } from "../audio/decoder.js";
import { type CallEndingDependencies, endCall } from "../calls/call-ending.js";
import { createCallEventLog } from "../calls/call-event-log.js";
import { removeOrphanAudio } from "../calls/deletion/orphan-audio.js";
import { createTextMasking } from "../calls/text-masking.js";
import type { Config } from "../config/config-schema.js";
import { systemClock } from "../core/clock.js";
import { isId, newId } from "../core/ids.js";
import type { Logger } from "../core/log.js";
import { type ProcessEntry, processEntry } from "../core/module-entry.js";
import type { RequestLimits } from "../gateway/limits/request-limits.js";
import { createBuiltinPiiDetector } from "../inference/backends/builtin/personal-data/builtin-pii-detector.js";
import { InferencePool } from "../inference/pool/inference-pool.js";
import { createAnswerQuestionHandler } from "../jobs/answer-question.js";
import { createProcessRecordingHandler } from "../jobs/process-recording.js";
import { placeStages } from "../jobs/stage-placement.js";
import { startWorkerRuntime, type WorkerRuntime } from "../jobs/worker-runtime.js";
import { errorFields } from "../observability/error-fields.js";
import type { Metrics } from "../observability/metrics.js";
import type { SelfTestResult, WorkerView } from "../observability/worker-state.js";
import { ANSWER_QUESTION, callOfJobPayload, PROCESS_RECORDING } from "../protocol/job-payloads.js";
import type { JobRecord, QueueBackend, QueueName } from "../queue/queue-backend.js";
import { type Authenticator, createAuthenticator } from "../security/authentication.js";
import type { MasterKey } from "../security/master-key.js";
import type { TicketOffice } from "../security/ticket-office.js";
import { type AppDatabase, openDatabase } from "../storage/database.js";
import type { ApiKeyRepository } from "../storage/repositories/api-key-repository.js";
import type { AuditRepository } from "../storage/repositories/audit-repository.js";
import { buildUseCases, type UseCases } from "./build-use-cases.js";
import type { InferenceProcessArguments } from "./inference-process.js";
import { openAudioStore } from "./open-audio-store.js";
import { openStores, type Stores } from "./open-stores.js";
import { type DataLayout, dataLayout, packageAssets } from "./paths.js";
import { type Backbone, openBackbone } from "./roles/backbone.js";
import type { Duties } from "./roles/process-role.js";
import { listWorkers, type RunningWorker, runWorker } from "./roles/running-worker.js";
import { tokenVerifierOf } from "./token-verifier.js";
import type { UseCaseParts } from "./use-case-parts.js";

export interface Services extends UseCases {
  readonly database: AppDatabase;
  readonly queue: QueueBackend;
  readonly inference: InferencePool;
  readonly decoder: RecordingDecoder;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly authenticator: Authenticator;
  readonly tickets: TicketOffice;
  readonly limits: RequestLimits;
  /** Starts taking jobs, of all queues that have work when none are named. */
  startWorker(queues?: readonly QueueName[]): WorkerRuntime;
  /** Has a worker test itself, and tells the others of it. */
  watchWorker(runtime: WorkerRuntime, device: "cpu" | "cuda"): RunningWorker;
  /** All that are known. @throws AppError `REDIS_UNAVAILABLE` */
  listWorkers(local: RunningWorker | undefined): Promise<readonly WorkerView[]>;
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
  readonly duties: Duties;
}

/** Opens and migrates the database, starts the model pool and the queue. The data directory must be locked already. */
export async function buildServices(options: BuildServicesOptions): Promise<Services> {
  const { config, logger, metrics, inferenceEntry } = options;
  const layout = dataLayout(config);
  await mkdir(layout.work, { recursive: true, mode: 0o700 });
  await removeLeftWork(layout.work);
  const { poolSize } = config.database;
  const database = openDatabase({ ...layout.database, poolSize, onStatement: (kind, ms) => metrics.databaseSeconds.observe({ kind }, ms / 1000) });
  const entry = inferenceEntry ?? processEntry(import.meta.url, "./inference-process");
  const inference = createPool(config, { workDirectory: layout.work, logger, metrics, entry });
  const undo = [() => inference.close(), () => database.close()];
  try {
    await database.migrate();
    if ((await database.verifyReplica()) === false) logger.warn("The replica of DATABASE_READ_URL does not answer; the database is read from instead");
    const { parts, tickets, limits, closeBackbone } = await openParts({ ...options, layout, database, inference });
    undo.unshift(closeBackbone);
    await Promise.all([options.duties.hasModels ? inference.start() : undefined, parts.queue.start()]);
    const useCases = await buildUseCases(parts);
    const { queue, decoder } = parts;
    const { audit, apiKeys } = parts.stores;
    return {
      ...{ ...useCases, database, queue, inference, decoder, audit, apiKeys, tickets, limits },
      authenticator: createAuthenticator({ keys: apiKeys, ...(await tokenVerifierOf(config)) }),
      startWorker: (queues) => startWorker(config, { queue, queues, useCases }),
      watchWorker: (runtime, device) => watchWorker(parts, runtime, device),
      listWorkers: (local) => listWorkers(parts.registry, local),
      async close(deadlineMs) {
        await queue.close(deadlineMs);
        await useCases.delivery.close();
        await useCases.textIndexing.close();
        await useCases.closeLive();
        for (const step of undo) await step();
      },
    };
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

interface OpenPartsOptions extends BuildServicesOptions {
  readonly layout: DataLayout;
  readonly database: AppDatabase;
  readonly inference: InferencePool;
}

interface OpenedParts {
  readonly parts: UseCaseParts & Pick<Backbone, "queue">;
  readonly tickets: TicketOffice;
  readonly limits: RequestLimits;
  readonly closeBackbone: () => Promise<void>;
}

/** What the use cases are built from; the queue is not started. */
async function openParts(options: OpenPartsOptions): Promise<OpenedParts> {
  const { config, masterKey, logger, metrics, duties, layout, database, inference } = options;
  // Of this process's life: its calls are told from those of others, and of its own former lives.
  const processId = newId();
  const streamId = duties.isShared && duties.takesCalls ? processId : undefined;
  const { journalWriteMs: writeIntervalMs, journalSyncMs: syncIntervalMs } = config.live;
  const audioStore = await openAudioStore(config, {
    isShared: duties.isShared,
    // Calls come in all the same; what needs the store says so.
    onUnreachable: (error) => logger.warn("The object store does not answer; recordings can't be stored or read until it does", errorFields(error)),
  });
  const stores = await openStores({
    ...{ database, masterKey, metrics, audioStore, streamId },
    journal: { directory: streamId === undefined ? layout.live : join(layout.live, streamId), writeIntervalMs, syncIntervalMs },
  });
  // A bucket may have other owners than this database, even if only for a drill: nothing in it is taken for left over.
  if (!duties.isShared && layout.audio !== undefined) await removeOrphans(stores, logger);
  // The queue tells of jobs that ended, the log of events asks the queue of jobs: one of them comes later.
  const ending: { endJob?: (job: JobRecord) => Promise<void> } = {};
  const onRecoveryEnded = (job: JobRecord): Promise<void> => ending.endJob?.(job) ?? Promise.resolve();
  const { bus, queue, registry, requests, tickets, limits, resultCache, close } = await openBackbone({
    ...{ config, masterKey, database, logger, metrics, processId, onRecoveryEnded },
    isShared: duties.isShared,
  });
  const { calls, audit } = stores;
  const masking = createTextMasking({
    openDetector: () => createBuiltinPiiDetector({ assetsDirectory: packageAssets().languageData }),
    ...{ events: stores.events, cache: resultCache, clock: systemClock },
    onUnavailable: (error) => logger.error("Texts can't be masked and are withheld from roles without transcript:read and from webhooks", errorFields(error)),
  });
  const eventLog = createCallEventLog({ calls, events: stores.events, bus, queue, masking, audit, clock: systemClock });
  ending.endJob = (job) => endCallOfJob({ database, calls, eventLog }, job);
  const { maxDurationMs, decodeTimeoutMs, decoder: prefer } = config.audio;
  const decoder = createRecordingDecoder({ maxDurationMs, timeoutMs: decodeTimeoutMs, prefer });
  const parts = {
    ...{ config, masterKey, logger, metrics, database, stores, queue, bus, eventLog, masking, inference, decoder },
    ...{ registry, requests, duties, layout, processId, streamId, workDirectory: layout.work },
  };
  return { parts, tickets, limits, closeBackbone: close };
}

async function removeOrphans({ audioStore, calls, modelTaskRecords }: Stores, logger: Logger): Promise<void> {
  const count = await removeOrphanAudio({ audioStore, calls, modelTasks: modelTaskRecords });
  if (count > 0) logger.info("Removed recordings of uploads that were never acknowledged", { count });
}

interface WorkerParts {
  readonly queue: QueueBackend;
  readonly queues: readonly QueueName[] | undefined;
  readonly useCases: UseCases;
}

function watchWorker({ inference, registry, processId, metrics }: UseCaseParts, runtime: WorkerRuntime, device: "cpu" | "cuda"): RunningWorker {
  const onSelfTest = ({ outcome }: SelfTestResult): void => metrics.workerSelfTests.inc({ outcome });
  return runWorker({ runtime, inference, device, clock: systemClock, registry, processId, onSelfTest });
}

function startWorker(config: Config, { queue, queues = ["recordings", "recordings-cuda", "models"], useCases }: WorkerParts): WorkerRuntime {
  const { processing, answering } = useCases;
  const placement = placeStages({ cudaStages: config.queue.cudaStages, queues });
  return startWorkerRuntime({
    queue,
    queues,
    handlers: { [PROCESS_RECORDING]: createProcessRecordingHandler(processing, placement), [ANSWER_QUESTION]: createAnswerQuestionHandler(answering) },
    concurrency: config.queue.concurrency || availableParallelism(),
    jobsPerMinute: new Map(
      config.queue.jobsPerMinute.map((text) => {
        const [name, count] = text.split("=");
        return [name as QueueName, Number(count)] as const;
      }),
    ),
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
      ...{ taxonomy: config.cases.taxonomy, workDirectory, threads },
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

/** The call of a recording whose job ended without its handler ends as the job did. */
async function endCallOfJob(dependencies: CallEndingDependencies, job: JobRecord): Promise<void> {
  const callId = callOfJobPayload(job.payload);
  if (callId === undefined || (job.status !== "failed" && job.status !== "cancelled")) return;
  await endCall(dependencies, { taskId: job.jobId, callId, status: job.status, errorCode: job.errorCode ?? "QUEUE_JOB_STALLED" });
}
