/**
 * `process`: analyses recordings here and now, by the same use case as the service, in a temporary data directory with
 * a key that is forgotten afterwards. May run beside `serve`.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identifyStream } from "../audio/identified-stream.js";
import type { RecordingTask } from "../calls/recording-tasks.js";
import type { Config } from "../config/config-schema.js";
import type { AnalysisResult } from "../core/analysis-result.js";
import { ERROR_CATALOGUE } from "../core/error-catalogue.js";
import { AppError, toAppError } from "../core/errors.js";
import { silentLogger } from "../core/log.js";
import { toOperatorError } from "../core/system-error.js";
import { createMetrics } from "../observability/metrics.js";
import { authorize, OPERATOR } from "../security/authorization.js";
import { createEphemeralMasterKey } from "../security/master-key.js";
import { buildServices, type Services } from "./build-services.js";
import { ALL_DUTIES } from "./roles/process-role.js";
import { refuseUnknownSpeechEngine } from "./speech-engine-choice.js";

export interface ProcessRequest {
  readonly paths: readonly string[];
  readonly language: string;
  readonly includeTranslation: boolean;
  readonly engine: string;
  /** Aborted: what runs is stopped and everything temporary removed. */
  readonly signal: AbortSignal;
  readonly onProgress?: (path: string, progress: number, step: string) => void;
}

/** One file's end: its analysis, or why there is none. */
export type ProcessedRecording =
  | { readonly path: string; readonly result: AnalysisResult; readonly error?: undefined }
  | { readonly path: string; readonly result?: undefined; readonly error: AppError };

const POLL_MS = 50;
const DIRECTORY_PREFIX = "openchs-process-";

/**
 * Yields one entry per path, in order; one bad file never stops the others.
 *
 * @throws AppError `MODEL_ENGINE_UNKNOWN` before anything is analysed
 */
export async function* processRecordings(config: Config, request: ProcessRequest): AsyncGenerator<ProcessedRecording> {
  const refused: ProcessedRecording[] = [];
  for (const path of request.paths) {
    const error = await refusalOf(path, config.audio.maxBytes);
    // One good one is enough for the models to be needed, which take seconds to start.
    if (error === undefined) return yield* analyseRecordings(config, request);
    refused.push({ path, error });
  }
  yield* refused;
}

/** Why a file is none to analyse, as far as its first bytes tell. */
async function refusalOf(path: string, maxBytes: number): Promise<AppError | undefined> {
  try {
    await refuseOtherThanFile(path);
    const { content } = await identifyStream(createReadStream(path), { maxBytes });
    content.destroy();
    return undefined;
  } catch (error) {
    return operatorErrorOf(error);
  }
}

async function* analyseRecordings(config: Config, request: ProcessRequest): AsyncGenerator<ProcessedRecording> {
  await removeAbandonedDirectories();
  const dataDirectory = await mkdtemp(join(resolve(tmpdir()), `${DIRECTORY_PREFIX}${process.pid}-`));
  let services: Services | undefined;
  try {
    services = await buildServices({
      // Nothing of the service, wherever that keeps its data.
      config: { ...config, dataDirectory, security: {}, audioStore: {}, database: { poolSize: config.database.poolSize } },
      duties: ALL_DUTIES,
      masterKey: createEphemeralMasterKey(),
      logger: silentLogger,
      metrics: createMetrics(),
    });
    refuseUnknownSpeechEngine(services.inference, request.engine);
    services.startWorker();
    const submitted: (readonly [string, string | AppError])[] = [];
    for (const path of request.paths) submitted.push([path, await submit(services, path, request)]);
    for (const [path, taskIdOrError] of submitted) {
      yield typeof taskIdOrError === "string" ? await finished(services, { path, taskId: taskIdOrError }, request) : { path, error: taskIdOrError };
    }
  } finally {
    await services?.close(0);
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

/** A run that was killed leaves its directory, named by its process; recordings lie in it in clear. */
async function removeAbandonedDirectories(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const owner = Number(new RegExp(`^${DIRECTORY_PREFIX}(\\d+)-`).exec(name)?.[1]);
    // Somebody else's is theirs to remove.
    if (owner > 0 && !isRunning(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // Somebody else's process is running all the same.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function submit({ intake }: Services, path: string, { language, includeTranslation, engine }: ProcessRequest): Promise<string | AppError> {
  try {
    await refuseOtherThanFile(path);
    const authorized = authorize(OPERATOR, "recording:create");
    const staged = await intake.receive(authorized, createReadStream(path));
    return (await intake.commit(authorized, staged, { language, includeTranslation, speechEngine: engine })).taskId;
  } catch (error) {
    return operatorErrorOf(error);
  }
}

async function refuseOtherThanFile(path: string): Promise<void> {
  const isFile = await stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
  if (!isFile) throw new AppError("AUDIO_FILE_NOT_FOUND", "There is no such file; check the path.");
}

function operatorErrorOf(error: unknown): AppError {
  return toOperatorError(error) ?? toAppError(error);
}

async function finished(
  { tasks }: Services,
  { path, taskId }: { readonly path: string; readonly taskId: string },
  request: ProcessRequest,
): Promise<ProcessedRecording> {
  const authorized = authorize(OPERATOR, "task:read");
  for (;;) {
    const task: RecordingTask = await tasks.get(authorized, taskId);
    request.onProgress?.(path, task.progress, task.currentStep);
    if (task.result !== undefined) return { path, result: task.result };
    if (task.status === "failed" || task.status === "cancelled") {
      const code = task.errorCode ?? "INTERNAL";
      return { path, error: new AppError(code, `${ERROR_CATALOGUE[code].meaning} ${ERROR_CATALOGUE[code].remedy}`) };
    }
    await delay(POLL_MS, undefined, { signal: request.signal }).catch(() => request.signal.throwIfAborted());
  }
}
