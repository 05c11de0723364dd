/**
 * The pool: model work off the main thread, in processes that are supervised, so that a crashed or hung engine fails
 * its request and nothing else; one whose process died is tried once more, on another. Waiting requests run by priority, then in order; calls that run go before recordings.
 */
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import type { ModelTask } from "../../core/model-task.js";
import type { ProcessEntry } from "../../core/module-entry.js";
import type { EngineDescription, TaskInputs } from "../model-engine.js";
import type { InferenceAnswer, InferenceRequest, Preload } from "./inference-message.js";
import { InferenceProcess } from "./inference-process.js";

export interface RunOptions {
  readonly signal: AbortSignal;
  /** From the moment it runs; waiting does not count. */
  readonly deadlineMs: number;
  /** Higher first, default 0. */
  readonly priority?: number;
  /** An engine's name; default `auto`. */
  readonly engine?: string;
  /** Work of a call that runs: it may use every process, and takes one from recordings when none is left. */
  readonly isLive?: boolean;
}

/** One of several inputs that run together. */
export interface InputTogether<Task extends ModelTask> {
  readonly input: TaskInputs[Task];
  readonly signal: AbortSignal;
}

/** The model work a use case may ask for. */
export interface InferenceRunner {
  run<Task extends ModelTask>(modelTask: Task, input: TaskInputs[Task], options: RunOptions): Promise<InferenceAnswer<Task>>;
  /** Engines found by the last process that started, in order of preference; empty before the first is ready. */
  engines(): readonly EngineDescription[];
}

export interface InferenceBatchRunner extends InferenceRunner {
  /** Several on one process, where the engine can as one batch. One answer each, in order; one that fails fails alone. */
  runTogether<Task extends ModelTask>(
    modelTask: Task,
    inputs: readonly InputTogether<Task>[],
    options: Omit<RunOptions, "signal">,
  ): readonly Promise<InferenceAnswer<Task>>[];
}

export interface InferencePoolOptions {
  readonly entry: ProcessEntry;
  readonly entryArguments: readonly string[];
  /** 1..64 */
  readonly processCount: number;
  /** Processes besides, that never listen to audio, so that reading text waits for nothing long. Default 0. */
  readonly textProcessCount?: number;
  readonly maxWaiting: number;
  readonly logger: Logger;
  readonly onFinished?: (modelTask: ModelTask, outcome: string) => void;
  readonly onProcessCount?: (count: number) => void;
  readonly onRestart?: () => void;
}

interface WaitingRequest {
  readonly id: number;
  readonly request: InferenceRequest;
  readonly signal: AbortSignal;
  readonly resolve: (answer: InferenceAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests of one task that go to a process together; most often one. */
interface WaitingGroup {
  readonly requests: readonly WaitingRequest[];
  readonly modelTask: ModelTask;
  readonly options: Omit<RunOptions, "signal">;
  /** A process died over it once: perhaps by chance. */
  readonly hasCrashed: boolean;
}

/** A group at work on a process. */
interface RunningGroup {
  readonly group: WaitingGroup;
  /** Aborted to give its process to a call that runs; the request waits again then. */
  readonly preempt: AbortController;
}

const AUDIO_TASKS: readonly ModelTask[] = ["speech", "voice_activity"];

/** Why a recording's request was stopped; nobody outside sees it. */
class PreemptedError extends Error {}

const ABORT_GRACE_MS = 2_000;
const FIRST_RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 30_000;

export class InferencePool implements InferenceBatchRunner {
  readonly #options: InferencePoolOptions;
  readonly #processes = new Set<InferenceProcess>();
  readonly #textProcesses = new WeakSet<InferenceProcess>();
  readonly #running = new Map<InferenceProcess, RunningGroup>();
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  #waiting: WaitingGroup[] = [];
  #engines: readonly EngineDescription[] = [];
  #nextId = 1;
  #restartDelayMs = FIRST_RESTART_DELAY_MS;
  #isClosed = false;
  #preload: Preload | undefined;
  /** Processes that recordings leave free. */
  #reservedForLive = 0;
  /** Settles `start`: with nothing when a process is ready, with the reason when it can't be. */
  #onFirstReady: ((error?: AppError) => void) | undefined;

  constructor(options: InferencePoolOptions) {
    this.#options = options;
  }

  /** Starts the processes; resolves when the first that reads texts can work. @throws AppError `MODEL_PROCESS_FAILED` after 30 s, or why the engines can't be built */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new AppError("MODEL_PROCESS_FAILED", "No model process became ready; run 'openchs-ai doctor'.")), 30_000);
      this.#onFirstReady = (error) => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    for (let index = 0; index < this.#options.processCount; index++) this.#spawn({ isForText: false });
    for (let index = 0; index < (this.#options.textProcessCount ?? 0); index++) this.#spawn({ isForText: true });
    await ready;
  }

  /** While calls run, recordings leave this many processes free; at least one stays theirs. */
  reserveForLive(count: number): void {
    this.#reservedForLive = Math.min(count, this.#options.processCount - 1);
    this.#dispatch();
  }

  engines(): readonly EngineDescription[] {
    return this.#engines;
  }

  /** Loads models now, and again in each process that takes the place of another. */
  preload(preload: Preload): void {
    this.#preload = preload;
    for (const process of this.#processes) if (process.isFree) this.#preloadOn(process);
  }

  #preloadOn(process: InferenceProcess): void {
    const { modelTasks = [], speechEngine = "auto" } = this.#preload ?? {};
    const own = modelTasks.filter((modelTask) => this.#textProcesses.has(process) !== AUDIO_TASKS.includes(modelTask));
    if (own.length > 0) process.preload({ modelTasks: own, speechEngine });
  }

  /** Processes running now. */
  get processCount(): number {
    return this.#processes.size;
  }

  get processIds(): readonly number[] {
    return [...this.#processes].flatMap(({ processId }) => processId ?? []);
  }

  get waitingCount(): number {
    return this.#waiting.reduce((sum, { requests }) => sum + requests.length, 0);
  }

  async run<Task extends ModelTask>(modelTask: Task, input: TaskInputs[Task], { signal, ...options }: RunOptions): Promise<InferenceAnswer<Task>> {
    const [answer] = this.runTogether(modelTask, [{ input, signal }], options);
    if (answer === undefined) throw new RangeError("one input has one answer");
    return answer;
  }

  runTogether<Task extends ModelTask>(
    modelTask: Task,
    inputs: readonly InputTogether<Task>[],
    options: Omit<RunOptions, "signal">,
  ): readonly Promise<InferenceAnswer<Task>>[] {
    const requests: WaitingRequest[] = [];
    const answers = inputs.map(({ input, signal }) => {
      const request: InferenceRequest = { modelTask, engine: options.engine ?? "auto", isLive: options.isLive === true, input };
      return this.#answerOf(modelTask, signal, (settle) => requests.push({ id: this.#nextId++, request, signal, ...settle }));
    });
    this.#enqueue({ requests, modelTask, options, hasCrashed: false });
    return answers as unknown as readonly Promise<InferenceAnswer<Task>>[];
  }

  /** Counts how it ends; while it waits, an abort takes it out. */
  async #answerOf(modelTask: ModelTask, signal: AbortSignal, add: (settle: Pick<WaitingRequest, "resolve" | "reject">) => void): Promise<InferenceAnswer> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new AppError("MODEL_PROCESS_FAILED", "The model pool is shutting down.", { retryable: true });
    if (this.waitingCount >= this.#options.maxWaiting) {
      throw new AppError("MODEL_OVERLOADED", "Too many model requests are waiting; try again in a moment.", { retryable: true });
    }
    const onAbort = (): void => this.#dropWaiting(signal);
    signal.addEventListener("abort", onAbort);
    try {
      const answer = await new Promise<InferenceAnswer>((resolve, reject) => add({ resolve, reject }));
      this.#options.onFinished?.(modelTask, "ok");
      return answer;
    } catch (error) {
      this.#options.onFinished?.(modelTask, error instanceof AppError ? error.code : "INTERNAL");
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    for (const { reject } of this.#waiting.splice(0).flatMap(({ requests }) => requests))
      reject(new AppError("MODEL_PROCESS_FAILED", "The model pool is shutting down.", { retryable: true }));
    await Promise.all([...this.#processes].map((process) => process.close()));
  }

  #enqueue(group: WaitingGroup): void {
    if (group.requests.length === 0) return;
    const priority = group.options.priority ?? 0;
    const index = this.#waiting.findIndex((other) => (other.options.priority ?? 0) < priority);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, group);
    this.#dispatch();
  }

  #dropWaiting(signal: AbortSignal): void {
    for (const { requests } of this.#waiting) for (const one of requests) if (one.signal === signal) one.reject(signal.reason);
    this.#waiting = this.#waiting
      .map((group) => ({ ...group, requests: group.requests.filter((one) => one.signal !== signal) }))
      .filter(({ requests }) => requests.length > 0);
  }

  #dispatch(): void {
    for (const process of this.#processes) {
      if (!process.isFree) continue;
      const index = this.#waiting.findIndex((group) => this.#mayRun(group, process));
      const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
      if (next !== undefined) this.#run(process, next);
    }
    this.#makeRoomForLive();
  }

  #mayRun({ modelTask, options }: WaitingGroup, process: InferenceProcess): boolean {
    const isAudio = AUDIO_TASKS.includes(modelTask);
    if (this.#textProcesses.has(process)) return !isAudio;
    return options.isLive === true || !isAudio || this.#recordingsRunning().length < this.#options.processCount - this.#reservedForLive;
  }

  #recordingsRunning(): readonly RunningGroup[] {
    return [...this.#running.values()].filter(({ group: { modelTask, options } }) => options.isLive !== true && AUDIO_TASKS.includes(modelTask));
  }

  /** Audio of a call that runs is waiting although recordings hold more than their share: the last of them starts again later. */
  #makeRoomForLive(): void {
    const isLiveWaiting = this.#waiting.some(({ modelTask, options }) => options.isLive === true && AUDIO_TASKS.includes(modelTask));
    const recordings = this.#recordingsRunning().filter(({ preempt }) => !preempt.signal.aborted);
    if (isLiveWaiting && recordings.length > this.#options.processCount - this.#reservedForLive) recordings.at(-1)?.preempt.abort(new PreemptedError());
  }

  #run(process: InferenceProcess, group: WaitingGroup): void {
    const preempt = new AbortController();
    this.#running.set(process, { group, preempt });
    const work = group.requests.map(({ id, request, signal }) => ({ id, request, signal: AbortSignal.any([signal, preempt.signal]) }));
    const again: WaitingRequest[] = [];
    const answers = process.run(work, group.options.deadlineMs).map((answer, index) => {
      const one = group.requests[index] as WaitingRequest;
      return answer.then(
        (value) => {
          this.#restartDelayMs = FIRST_RESTART_DELAY_MS;
          one.resolve(value);
        },
        (error: unknown) => {
          const mayGoOn = !one.signal.aborted && !this.#isClosed;
          const isCrash = error instanceof AppError && error.code === "MODEL_PROCESS_FAILED";
          if (mayGoOn && (error instanceof PreemptedError || (isCrash && !group.hasCrashed))) again.push(one);
          else one.reject(one.signal.aborted ? one.signal.reason : error);
        },
      );
    });
    void Promise.all(answers).then(() => {
      this.#running.delete(process);
      const wasPreempted = preempt.signal.aborted;
      if (again.length > 0) this.#waiting.unshift({ ...group, requests: again, hasCrashed: group.hasCrashed || !wasPreempted });
      this.#dispatch();
    });
  }

  #spawn(kind: { readonly isForText: boolean }): void {
    const readsText = kind.isForText || (this.#options.textProcessCount ?? 0) === 0;
    const process = new InferenceProcess({
      entry: this.#options.entry,
      entryArguments: [...this.#options.entryArguments, readsText ? "text" : "sound"],
      abortGraceMs: ABORT_GRACE_MS,
      onReady: (engines) => {
        this.#engines = engines;
        this.#preloadOn(process);
        // The others have not read the data files, which may have a fault.
        if (readsText) this.#onFirstReady?.();
        this.#dispatch();
      },
      onUnable: (error) => this.#onFirstReady?.(error),
      onExit: () => {
        this.#processes.delete(process);
        this.#options.onProcessCount?.(this.#processes.size);
        if (!this.#isClosed) this.#scheduleRestart(kind);
      },
    });
    if (kind.isForText) this.#textProcesses.add(process);
    this.#processes.add(process);
    this.#options.onProcessCount?.(this.#processes.size);
  }

  /** Waits longer after each crash until a request succeeds, so that a broken engine does not spin. */
  #scheduleRestart(kind: { readonly isForText: boolean }): void {
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(MAX_RESTART_DELAY_MS, delayMs * 2);
    this.#options.onRestart?.();
    this.#options.logger.warn("A model process ended and is being replaced", { durationMs: delayMs });
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      this.#spawn(kind);
    }, delayMs);
    this.#restartTimers.add(timer);
  }
}
