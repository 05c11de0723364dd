/**
 * The pool: model work off the main thread, in processes that are supervised, so that a crashed or hung engine fails
 * its request and nothing else; one whose process died is tried once more, on another. Waiting requests run by priority, then in order; calls that run go before recordings.
 */
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import type { ModelTask } from "../../core/model-task.js";
import type { ProcessEntry } from "../../core/module-entry.js";
import type { EngineDescription, TaskInputs } from "../model-engine.js";
import type { InferenceAnswer, InferenceRequest } from "./inference-message.js";
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

/** The model work a use case may ask for. */
export interface InferenceRunner {
  run<Task extends ModelTask>(modelTask: Task, input: TaskInputs[Task], options: RunOptions): Promise<InferenceAnswer<Task>>;
  /** Engines found by the last process that started, in order of preference; empty before the first is ready. */
  engines(): readonly EngineDescription[];
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
  readonly options: RunOptions;
  /** A process died over it once: perhaps by chance. */
  readonly hasCrashed: boolean;
  readonly resolve: (answer: InferenceAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** A request at work on a process. */
interface RunningRequest {
  readonly entry: WaitingRequest;
  /** Aborted to give its process to a call that runs; the request waits again then. */
  readonly preempt: AbortController;
}

const AUDIO_TASKS: readonly ModelTask[] = ["speech", "voice_activity"];

/** Why a recording's request was stopped; nobody outside sees it. */
class PreemptedError extends Error {}

const ABORT_GRACE_MS = 2_000;
const FIRST_RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 30_000;

export class InferencePool implements InferenceRunner {
  readonly #options: InferencePoolOptions;
  readonly #processes = new Set<InferenceProcess>();
  readonly #textProcesses = new WeakSet<InferenceProcess>();
  readonly #running = new Map<InferenceProcess, RunningRequest>();
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  #waiting: WaitingRequest[] = [];
  #engines: readonly EngineDescription[] = [];
  #nextId = 1;
  #restartDelayMs = FIRST_RESTART_DELAY_MS;
  #isClosed = false;
  /** Processes that recordings leave free. */
  #reservedForLive = 0;
  /** Settles `start`: with nothing when a process is ready, with the reason when it can't be. */
  #onFirstReady: ((error?: AppError) => void) | undefined;

  constructor(options: InferencePoolOptions) {
    this.#options = options;
  }

  /** Starts the processes; resolves when the first can work. @throws AppError `MODEL_PROCESS_FAILED` after 30 s, or why the engines can't be built */
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

  /** Processes running now. */
  get processCount(): number {
    return this.#processes.size;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  async run<Task extends ModelTask>(modelTask: Task, input: TaskInputs[Task], options: RunOptions): Promise<InferenceAnswer<Task>> {
    options.signal.throwIfAborted();
    if (this.#isClosed) throw new AppError("MODEL_PROCESS_FAILED", "The model pool is shutting down.", { retryable: true });
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new AppError("MODEL_OVERLOADED", "Too many model requests are waiting; try again in a moment.", { retryable: true });
    }
    const request: InferenceRequest = { modelTask, engine: options.engine ?? "auto", isLive: options.isLive === true, input };
    const id = this.#nextId++;
    const onAbort = (): void => this.#dropWaiting(id, options.signal.reason);
    options.signal.addEventListener("abort", onAbort);
    try {
      const answer = await new Promise<InferenceAnswer>((resolve, reject) => {
        this.#enqueue({ id, request, options, hasCrashed: false, resolve, reject });
      });
      this.#options.onFinished?.(modelTask, "ok");
      return answer as InferenceAnswer<Task>;
    } catch (error) {
      this.#options.onFinished?.(modelTask, error instanceof AppError ? error.code : "INTERNAL");
      throw error;
    } finally {
      options.signal.removeEventListener("abort", onAbort);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    for (const waiting of this.#waiting.splice(0))
      waiting.reject(new AppError("MODEL_PROCESS_FAILED", "The model pool is shutting down.", { retryable: true }));
    await Promise.all([...this.#processes].map((process) => process.close()));
  }

  #enqueue(entry: WaitingRequest): void {
    const priority = entry.options.priority ?? 0;
    const index = this.#waiting.findIndex((other) => (other.options.priority ?? 0) < priority);
    this.#waiting.splice(index === -1 ? this.#waiting.length : index, 0, entry);
    this.#dispatch();
  }

  #dropWaiting(id: number, reason: unknown): void {
    const index = this.#waiting.findIndex((entry) => entry.id === id);
    const [entry] = index === -1 ? [] : this.#waiting.splice(index, 1);
    entry?.reject(reason);
  }

  #dispatch(): void {
    for (const process of this.#processes) {
      if (!process.isFree) continue;
      const index = this.#waiting.findIndex((entry) => this.#mayRun(entry, process));
      const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
      if (next !== undefined) this.#run(process, next);
    }
    this.#makeRoomForLive();
  }

  #mayRun({ request, options }: WaitingRequest, process: InferenceProcess): boolean {
    const isAudio = AUDIO_TASKS.includes(request.modelTask);
    if (this.#textProcesses.has(process)) return !isAudio;
    return options.isLive === true || !isAudio || this.#recordingsRunning().length < this.#options.processCount - this.#reservedForLive;
  }

  #recordingsRunning(): readonly RunningRequest[] {
    return [...this.#running.values()].filter(({ entry }) => entry.options.isLive !== true && AUDIO_TASKS.includes(entry.request.modelTask));
  }

  /** Audio of a call that runs is waiting although recordings hold more than their share: the last of them starts again later. */
  #makeRoomForLive(): void {
    const isLiveWaiting = this.#waiting.some(({ request, options }) => options.isLive === true && AUDIO_TASKS.includes(request.modelTask));
    const recordings = this.#recordingsRunning().filter(({ preempt }) => !preempt.signal.aborted);
    if (isLiveWaiting && recordings.length > this.#options.processCount - this.#reservedForLive) recordings.at(-1)?.preempt.abort(new PreemptedError());
  }

  #run(process: InferenceProcess, entry: WaitingRequest): void {
    const preempt = new AbortController();
    const { signal, deadlineMs } = entry.options;
    this.#running.set(process, { entry, preempt });
    process
      .run(entry.id, entry.request, { signal: AbortSignal.any([signal, preempt.signal]), deadlineMs })
      .then(
        (answer) => {
          this.#restartDelayMs = FIRST_RESTART_DELAY_MS;
          entry.resolve(answer);
        },
        (error: unknown) => {
          const mayGoOn = !signal.aborted && !this.#isClosed;
          const isCrash = error instanceof AppError && error.code === "MODEL_PROCESS_FAILED";
          if (mayGoOn && error instanceof PreemptedError) this.#waiting.unshift(entry);
          else if (mayGoOn && isCrash && !entry.hasCrashed) this.#waiting.unshift({ ...entry, hasCrashed: true });
          else entry.reject(signal.aborted ? signal.reason : error);
        },
      )
      .finally(() => {
        this.#running.delete(process);
        this.#dispatch();
      });
  }

  #spawn(kind: { readonly isForText: boolean }): void {
    const process = new InferenceProcess({
      entry: this.#options.entry,
      entryArguments: this.#options.entryArguments,
      abortGraceMs: ABORT_GRACE_MS,
      onReady: (engines) => {
        this.#engines = engines;
        this.#onFirstReady?.();
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
