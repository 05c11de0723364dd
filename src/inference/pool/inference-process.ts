/**
 * One supervised model process: started, watched, told what to do, and killed when it does not obey. It serves one
 * group of requests at a time; the pool decides which.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AppError } from "../../core/errors.js";
import type { ProcessEntry } from "../../core/module-entry.js";
import type { EngineDescription } from "../model-engine.js";
import type { InferenceAnswer, MessageFromProcess, MessageToProcess, NumberedRequest, Preload } from "./inference-message.js";

export interface InferenceProcessOptions {
  readonly entry: ProcessEntry;
  readonly entryArguments: readonly string[];
  /** After an abort, how long the process has to answer before it is killed. */
  readonly abortGraceMs: number;
  readonly onReady: (engines: readonly EngineDescription[]) => void;
  /** Its engines could not be built; its exit follows. */
  readonly onUnable: (error: AppError) => void;
  /** Called once, however it ended. */
  readonly onExit: () => void;
}

/** What runs on a process, alone or with others. */
export interface ProcessWork extends NumberedRequest {
  readonly signal: AbortSignal;
}

interface ActiveRequest {
  readonly resolve: (answer: InferenceAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class InferenceProcess {
  readonly #child: ChildProcess;
  readonly #options: InferenceProcessOptions;
  readonly #active = new Map<number, ActiveRequest>();
  #isReady = false;
  #hasEnded = false;

  constructor(options: InferenceProcessOptions) {
    this.#options = options;
    this.#child = fork(fileURLToPath(options.entry.url), [...options.entryArguments], {
      serialization: "advanced",
      execArgv: [...options.entry.execArgv],
      // Its output is not ours to print: a library may print what it was given.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child.on("message", (message: MessageFromProcess) => this.#receive(message));
    this.#child.on("error", () => this.#end());
    this.#child.on("exit", () => this.#end());
  }

  get isFree(): boolean {
    return this.#isReady && !this.#hasEnded && this.#active.size === 0;
  }

  get processId(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Runs requests together. Only when `isFree`. Each answer is rejected with `MODEL_DEADLINE_EXCEEDED`,
   * `MODEL_PROCESS_FAILED`, the engine's own error, or its signal's reason.
   */
  run(work: readonly ProcessWork[], deadlineMs: number): readonly Promise<InferenceAnswer>[] {
    const answers = work.map(({ id, signal }) => this.#answerOf(id, signal, deadlineMs));
    this.#send({ kind: "run", requests: work.map(({ id, request }) => ({ id, request })) });
    return answers;
  }

  async #answerOf(id: number, signal: AbortSignal, deadlineMs: number): Promise<InferenceAnswer> {
    let killTimer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#send({ kind: "abort", id });
      killTimer ??= setTimeout(() => this.kill(), this.#options.abortGraceMs);
    };
    let isLate = false;
    const deadline = setTimeout(() => {
      isLate = true;
      stop();
    }, deadlineMs);
    signal.addEventListener("abort", stop);
    try {
      return await new Promise<InferenceAnswer>((resolve, reject) => this.#active.set(id, { resolve, reject }));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (isLate)
        throw new AppError("MODEL_DEADLINE_EXCEEDED", "The model did not answer in time; its process was stopped.", { retryable: true, cause: error });
      throw error;
    } finally {
      clearTimeout(deadline);
      clearTimeout(killTimer);
      signal.removeEventListener("abort", stop);
      this.#active.delete(id);
    }
  }

  preload(preload: Preload): void {
    this.#send({ kind: "preload", preload });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Asks the process to end; resolves when it has. */
  async close(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.kill(), 3_000);
    await ended;
    clearTimeout(timer);
  }

  #send(message: MessageToProcess): void {
    if (!this.#child.connected) return;
    // A process that dies while being written to is noticed by its exit; the write's own error adds nothing.
    this.#child.send(message, () => {});
  }

  #receive(message: MessageFromProcess): void {
    if (message.kind === "ready") {
      this.#isReady = true;
      this.#options.onReady(message.engines);
      return;
    }
    if (message.kind === "unable") {
      this.#options.onUnable(new AppError(message.code, message.message));
      return;
    }
    const active = this.#active.get(message.id);
    if (message.kind === "answer") active?.resolve(message.answer);
    else active?.reject(new AppError(message.code, message.message, { retryable: message.retryable }));
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const { reject } of this.#active.values())
      reject(new AppError("MODEL_PROCESS_FAILED", "The model's process ended unexpectedly; it is being replaced.", { retryable: true }));
    this.#options.onExit();
  }
}
