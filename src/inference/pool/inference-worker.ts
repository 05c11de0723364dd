/**
 * The loop of a model process: takes requests, runs engines, answers. It ends when its parent does.
 *
 * The engines are handed in by the process's entry file in `app/`, which is the only place that knows concrete ones.
 */
import { AppError, type ErrorCode, toAppError } from "../../core/errors.js";
import type { ModelTask } from "../../core/model-task.js";
import { isEngineNamed, type ModelEngine } from "../model-engine.js";
import { atEngineRate } from "../pcm-blocks.js";
import type { InferenceAnswer, InferenceRequest, MessageFromProcess, MessageToProcess, Preload } from "./inference-message.js";

/** Serves the parent process until it goes away. `engines` stand in order of preference within a task. */
export function runInferenceWorker(engines: readonly ModelEngine[]): void {
  const send = (message: MessageFromProcess): void => {
    process.send?.(message);
  };
  const running = new Map<number, AbortController>();

  process.on("message", (message: MessageToProcess) => {
    if (message.kind === "abort") {
      running.get(message.id)?.abort(new AppError("MODEL_CANCELLED", "The request was cancelled."));
      return;
    }
    if (message.kind === "preload") {
      for (const modelTask of message.preload.modelTasks) preload(engines, modelTask, message.preload);
      return;
    }
    const entries = message.requests.map(({ id, request }) => {
      const abort = new AbortController();
      running.set(id, abort);
      return { id, request, signal: abort.signal };
    });
    for (const [index, answer] of runEntries(engines, entries).entries()) {
      const { id } = entries[index] as (typeof entries)[number];
      answer
        .then(
          (value) => send({ kind: "answer", id, answer: value }),
          (error: unknown) => {
            const { code, safeMessage, retryable } = toAppError(error);
            send({ kind: "failure", id, code, message: safeMessage, retryable });
          },
        )
        .finally(() => running.delete(id));
    }
  });
  // Ctrl-C and service managers signal the whole group; when to end is the parent's to say, by disconnecting.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => {
    // Aborting first lets engines end the programs they started; nothing may outlive the service.
    for (const abort of running.values()) abort.abort(new AppError("MODEL_CANCELLED", "The service ended."));
    setTimeout(() => process.exit(0), 200);
  });
  send({ kind: "ready", engines: engines.map((engine) => engine.description) });
}

/** Tells the parent why this process can't serve, then ends it. */
export function reportUnable(thrown: unknown): void {
  const { code, safeMessage } = toAppError(thrown);
  process.send?.({ kind: "unable", code, message: safeMessage } satisfies MessageFromProcess, () => process.exit(1));
}

/** A server that is away, and a model that does not do this language. */
const LEFT_TO_THE_NEXT: readonly ErrorCode[] = ["MODEL_REMOTE_UNAVAILABLE", "MODEL_REMOTE_INVALID", "MODEL_NOT_READY"];

/** A model that can't be loaded now says why when it is first needed. */
function preload(engines: readonly ModelEngine[], modelTask: ModelTask, { speechEngine }: Preload): void {
  const name = modelTask === "speech" ? speechEngine : "auto";
  const engine = engines.find(({ description }) => description.modelTask === modelTask && (name === "auto" || isEngineNamed(description.engine, name)));
  engine?.load?.().catch(() => {});
}

interface Entry {
  readonly request: InferenceRequest;
  readonly signal: AbortSignal;
}

/** Together where the first engine can; what it can't do now goes the usual way, one by one. */
function runEntries(engines: readonly ModelEngine[], entries: readonly Entry[]): readonly Promise<InferenceAnswer>[] {
  const alone = ({ request, signal }: Entry): Promise<InferenceAnswer> => runEngine(engines, request, signal);
  const [first] = entries;
  const engine = entries.length > 1 && first !== undefined ? engineTogether(engines, first.request) : undefined;
  if (engine === undefined) return entries.map(alone);
  const together = runTogether(engine, entries);
  return entries.map(async (entry, index) => {
    const outcome = (await together)[index];
    if (outcome?.status === "fulfilled") return { output: outcome.value, engine: engine.description.engine, revision: engine.description.revision };
    entry.signal.throwIfAborted();
    const error: unknown = outcome?.reason;
    if (error instanceof AppError && LEFT_TO_THE_NEXT.includes(error.code)) return alone(entry);
    throw error;
  });
}

type TogetherEngine = ModelEngine & Required<Pick<ModelEngine, "runTogether">>;

function engineTogether(engines: readonly ModelEngine[], request: InferenceRequest): TogetherEngine | undefined {
  const [engine] = chooseEngines(engines, request);
  return engine?.runTogether === undefined ? undefined : (engine as TogetherEngine);
}

async function runTogether(engine: TogetherEngine, entries: readonly Entry[]): ReturnType<TogetherEngine["runTogether"]> {
  try {
    const inputs = await Promise.all(entries.map(({ request }) => fitAudio(request, engine)));
    return await engine.runTogether(inputs, { signals: entries.map(({ signal }) => signal) });
  } catch (reason) {
    return entries.map(() => ({ status: "rejected", reason }));
  }
}

/** Of those that may serve, the next does the work when one can't be used now; the answer names who did it. */
async function runEngine(engines: readonly ModelEngine[], request: InferenceRequest, signal: AbortSignal): Promise<InferenceAnswer> {
  const candidates = chooseEngines(engines, request);
  for (const [index, engine] of candidates.entries()) {
    try {
      const output = await engine.run(await fitAudio(request, engine), { signal });
      return { output, engine: engine.description.engine, revision: engine.description.revision };
    } catch (error) {
      if (!(error instanceof AppError && LEFT_TO_THE_NEXT.includes(error.code)) || index === candidates.length - 1) throw error;
    }
  }
  throw new AppError("MODEL_NOT_READY", noEngineMessage(request.modelTask), { details: { modelTask: request.modelTask } });
}

async function fitAudio({ input }: InferenceRequest, { description }: ModelEngine): Promise<InferenceRequest["input"]> {
  if (!("audio" in input)) return input;
  return { ...input, audio: await atEngineRate(input.audio, description.capabilities.sampleRatesHz) };
}

/** With `auto` all of the task's, in order of preference. @throws AppError `MODEL_ENGINE_UNKNOWN` for an unknown name */
function chooseEngines(engines: readonly ModelEngine[], { modelTask, engine: name, isLive }: InferenceRequest): readonly ModelEngine[] {
  const candidates = engines.filter(({ description }) => description.modelTask === modelTask);
  if (name === "auto") return candidates.filter(({ description }) => !isLive || description.capabilities.isTooSlowForLive !== true);
  const chosen = candidates.find((engine) => isEngineNamed(engine.description.engine, name));
  if (chosen !== undefined) return [chosen];
  throw new AppError("MODEL_ENGINE_UNKNOWN", `No such engine is installed for ${modelTask}; 'openchs-ai doctor' lists the installed ones.`);
}

function noEngineMessage(modelTask: ModelTask): string {
  if (modelTask === "speech") {
    return "No speech engine is installed. For English on clear audio run: apt-get install pocketsphinx pocketsphinx-en-us; for other languages install a Whisper model: openchs-ai models import DIRECTORY";
  }
  return `No engine is installed for ${modelTask}; it needs a model ('openchs-ai models import').`;
}
