/** Asking one model: a question becomes a task, its answer waits for whoever asked, and both are gone after a day. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { RawFormat } from "../audio/container.js";
import { identifyStream } from "../audio/identified-stream.js";
import { isEndedStatus, type WorkStatus } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError, type ErrorCode } from "../core/errors.js";
import { isId, newId } from "../core/ids.js";
import type { ModelAnswer, ModelQuestion } from "../core/model-answer.js";
import { type EventBus, listenFor } from "../events/event-bus.js";
import { ANSWER_QUESTION } from "../protocol/job-payloads.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import type { Authorized } from "../security/authorization.js";
import type { SealerFactory } from "../security/sealing/sealed-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import type { ModelTaskRepository } from "../storage/repositories/model-task-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import { removeSound } from "./model-task-processing.js";

export interface ModelTaskState {
  readonly taskId: string;
  readonly modelTask: ModelQuestion["modelTask"];
  readonly status: WorkStatus;
  readonly progress: number;
  readonly createdAtMs: number;
  readonly answer?: ModelAnswer;
  readonly errorCode?: ErrorCode;
}

/** Sound that lies in the store and belongs to no task yet. */
export interface StagedSound {
  readonly audioKey: string;
  readonly container: string;
  readonly key: Buffer;
  readonly byteCount: number;
}

export interface ModelTasks {
  /** @throws AppError `AUDIO_EMPTY`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_TOO_LARGE`, `STORAGE_FULL` */
  receive(authorized: Authorized<"model:run">, content: Readable, options?: { readonly rawFormat?: RawFormat }): Promise<StagedSound>;
  discard(sound: StagedSound): Promise<void>;
  /** Durable when it resolves; sound is discarded when it rejects. A task that no engine can do fails with `MODEL_NOT_READY`. */
  submit(authorized: Authorized<"model:run">, question: ModelQuestion, sound?: StagedSound): Promise<ModelTaskState>;
  /** Of whoever asked. @throws AppError `QUEUE_JOB_NOT_FOUND` */
  get(authorized: Authorized<"model:run">, taskId: string): Promise<ModelTaskState>;
  /** As `get`, once the task has ended, `timeoutMs` have passed, or the signal is aborted. */
  waitFor(authorized: Authorized<"model:run">, taskId: string, wait: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<ModelTaskState>;
  cancel(authorized: Authorized<"model:run">, taskId: string): Promise<void>;
  /** Removes tasks that are older than `maxAgeMs`, answers and all. @returns how many. */
  removeExpired(maxAgeMs: number): Promise<number>;
}

export interface ModelTasksDependencies {
  readonly database: AppDatabase;
  readonly modelTasks: ModelTaskRepository;
  readonly sealers: SealerFactory;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly maxAttempts: number;
}

/** The bus may lose a notice: the task is looked at this often all the same. */
const LOOK_AGAIN_MS = 1_000;
const PURGE_ROWS = 200;
/** Somebody waits for the answer of most of them; recordings may take their time. */
const PRIORITY = 10;

/** The use cases of the model endpoints. */
export function createModelTasks(dependencies: ModelTasksDependencies): ModelTasks {
  const { audioStore, queue, sealers, bus, clock } = dependencies;
  const get = async (actorId: string, taskId: string): Promise<ModelTaskState> => readState(dependencies, actorId, taskId);
  return {
    async receive(_authorized, source, { rawFormat } = {}) {
      const { container, content } = await identifyStream(source, { maxBytes: dependencies.maxBytes, ...(rawFormat === undefined ? {} : { rawFormat }) });
      const [audioKey, key] = [newId(clock.nowMs()), sealers.newCallKey()];
      return { audioKey, container, key, ...(await audioStore.write(audioKey, content, key)) };
    },
    discard: ({ audioKey }) => audioStore.remove(audioKey),
    async submit({ actor }, question, sound) {
      try {
        return await store(dependencies, { actorId: ownerOf(actor.actorId), question, sound });
      } catch (error) {
        if (sound !== undefined) await audioStore.remove(sound.audioKey);
        throw error;
      }
    },
    get: ({ actor }, taskId) => get(ownerOf(actor.actorId), taskId),
    async waitFor({ actor }, taskId, { timeoutMs, signal }) {
      const notices = listenFor(bus, `task/${taskId}`);
      const deadlineMs = clock.monotonicMs() + timeoutMs;
      try {
        for (;;) {
          const state = await get(ownerOf(actor.actorId), taskId);
          const leftMs = deadlineMs - clock.monotonicMs();
          if (isEndedStatus(state.status) || leftMs <= 0 || signal.aborted) return state;
          await notices.next(Math.min(LOOK_AGAIN_MS, leftMs), signal);
        }
      } finally {
        notices.close();
      }
    },
    async cancel({ actor }, taskId) {
      await get(ownerOf(actor.actorId), taskId);
      if ((await queue.cancel(taskId)) === "cancelled") await removeSound(dependencies, taskId);
    },
    removeExpired: (maxAgeMs) => removeExpired(dependencies, clock.nowMs() - maxAgeMs),
  };
}

/** The column is short and a token's subject may be long. */
function ownerOf(actorId: string): string {
  return createHash("sha256").update(actorId).digest("base64url");
}

interface NewTask {
  readonly actorId: string;
  readonly question: ModelQuestion;
  readonly sound: StagedSound | undefined;
}

async function store(
  { database, modelTasks, sealers, queue, clock, maxAttempts }: ModelTasksDependencies,
  { actorId, question, sound }: NewTask,
): Promise<ModelTaskState> {
  const createdAtMs = clock.nowMs();
  const taskId = newId(createdAtMs);
  const audio = sound === undefined ? null : { audioKey: sound.audioKey, container: sound.container };
  const { modelTask } = question;
  await inUnitOfWork(database, async (unitOfWork) => {
    await modelTasks.insertTask({ taskId, actorId, question, audio, createdAtMs, key: sound?.key ?? sealers.newCallKey() }, unitOfWork);
    await queue.enqueue("models", { jobId: taskId, jobName: ANSWER_QUESTION, payload: { modelTask }, maxAttempts, priority: PRIORITY }, { unitOfWork });
  });
  return { taskId, modelTask, status: "queued", progress: 0, createdAtMs };
}

async function readState({ modelTasks, queue }: ModelTasksDependencies, actorId: string, taskId: string): Promise<ModelTaskState> {
  const found = isId(taskId) ? await modelTasks.findTask(taskId) : undefined;
  const job = found === undefined ? undefined : await queue.find(taskId);
  // Somebody else's task is no task of this reader's.
  if (found === undefined || job === undefined || found.task.actorId !== actorId) throw new AppError("QUEUE_JOB_NOT_FOUND", "There is no task with this id.");
  const { modelTask, answer, createdAtMs } = found.task;
  // The answer is stored a moment before its job ends.
  if (answer !== null) return { taskId, modelTask, status: "completed", progress: 100, createdAtMs, answer };
  const { status, progress, errorCode } = job;
  return { taskId, modelTask, status, progress, createdAtMs, ...(errorCode === null ? {} : { errorCode }) };
}

async function removeExpired({ database, modelTasks, queue, audioStore }: ModelTasksDependencies, beforeMs: number): Promise<number> {
  let removed = 0;
  for (;;) {
    const expired = await modelTasks.listOlderThan(beforeMs, PURGE_ROWS);
    if (expired.length === 0) return removed;
    const taskIds = expired.map(({ taskId }) => taskId);
    for (const taskId of taskIds) await queue.cancel(taskId);
    await inUnitOfWork(database, async (unitOfWork) => {
      await modelTasks.removeTasks(taskIds, unitOfWork);
      await queue.forget(taskIds, { unitOfWork });
    });
    for (const { audioKey } of expired) if (audioKey !== null) await audioStore.remove(audioKey);
    removed += expired.length;
  }
}
