/**
 * Live voice activity by the Silero thread: gathers frames of all streams while the thread works on the last ones, so
 * that batches grow by themselves with the number of calls.
 */
import { Worker } from "node:worker_threads";
import { BUSY_THREAD_LIMITS, type ThreadEntry, threadEntry } from "../../../core/module-entry.js";
import { type LiveSampleRateHz, type LiveVoiceActivity, liveFrameSamples } from "../../live-voice-activity.js";
import { frameDbfs } from "../energy/energy-voice-activity-detector.js";
import { forbidTelemetry } from "../onnx/onnx-runtime.js";
import type { FrameBatch, MessageFromThread, MessageToThread, ThreadOptions } from "./voice-activity-message.js";

interface PendingFrame {
  readonly streamId: number;
  readonly frame: Int16Array;
  readonly onScore: (score: number) => void;
}

const START_DEADLINE_MS = 10_000;
/** Frames are gathered this long, so that many streams share a run of the model. */
const GATHER_MS = 16;
/** When the thread was lost: what is louder than this counts as speech until it is back. */
const FALLBACK_SPEECH_DBFS = -40;

/** @throws when the thread can't load onnxruntime or the model. */
export async function createSileroLiveVoiceActivity(options: ThreadOptions): Promise<LiveVoiceActivity> {
  const entry = threadEntry(import.meta.url, "./voice-activity-thread");
  const lanes = { 8000: new Lane(8_000), 16000: new Lane(16_000) } as const;
  let thread = await startThread(entry, options);
  let isClosed = false;
  const connect = (worker: Worker): void => {
    for (const lane of Object.values(lanes)) lane.attach(worker);
    worker.once("exit", () => {
      if (isClosed) return;
      for (const lane of Object.values(lanes)) lane.detach();
      void startThread(entry, options).then(
        (next) => {
          thread = next;
          if (isClosed) void next.terminate();
          else connect(next);
        },
        () => {},
      );
    });
  };
  connect(thread);
  let nextStreamId = 1;
  return {
    engine: "silero",
    revision: "silero-v5-2623a295-live",
    isDegraded: false,
    openStream(sampleRateHz, onScore) {
      const streamId = nextStreamId++;
      const lane = lanes[sampleRateHz];
      let isOpen = true;
      const deliver = (score: number): void => {
        if (isOpen) onScore(score);
      };
      return {
        push: (frame) => lane.push({ streamId, frame, onScore: deliver }),
        close() {
          isOpen = false;
          lane.forget(streamId);
        },
      };
    },
    async close() {
      isClosed = true;
      for (const lane of Object.values(lanes)) lane.detach();
      await thread.terminate();
    },
  };
}

async function startThread(thread: ThreadEntry, workerData: ThreadOptions): Promise<Worker> {
  forbidTelemetry();
  const worker = new Worker(thread.entry, { workerData, eval: thread.eval, resourceLimits: BUSY_THREAD_LIMITS });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the voice activity thread did not start")), START_DEADLINE_MS);
    worker.once("error", reject);
    worker.once("message", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  // From here on its end is noticed by its exit.
  worker.removeAllListeners("error");
  worker.on("error", () => {});
  worker.unref();
  return worker;
}

/** The streams of one rate: a batch has one width. */
class Lane {
  readonly #sampleRateHz: LiveSampleRateHz;
  #worker: Worker | undefined;
  #gathered: PendingFrame[] = [];
  #inFlight: { readonly id: number; readonly frames: readonly PendingFrame[] } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 0;

  constructor(sampleRateHz: LiveSampleRateHz) {
    this.#sampleRateHz = sampleRateHz;
    // Ids tell this lane's answers from the other's.
    this.#nextId = sampleRateHz;
  }

  attach(worker: Worker): void {
    this.#worker = worker;
    worker.on("message", (message: MessageFromThread) => {
      if (message.kind === "scores" && message.id === this.#inFlight?.id) this.#receive(message.scores);
    });
    this.#schedule();
  }

  /** The thread is gone: what it had, and what comes, is judged by loudness. */
  detach(): void {
    this.#worker = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lost = [...(this.#inFlight?.frames ?? []), ...this.#gathered];
    this.#inFlight = undefined;
    this.#gathered = [];
    for (const pending of lost) scoreByLoudness(pending);
  }

  push(pending: PendingFrame): void {
    if (this.#worker === undefined) {
      scoreByLoudness(pending);
      return;
    }
    this.#gathered.push(pending);
    this.#schedule();
  }

  forget(streamId: number): void {
    this.#worker?.postMessage({ kind: "forget", streamId } satisfies MessageToThread);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#inFlight !== undefined || this.#gathered.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, GATHER_MS);
  }

  #send(): void {
    const frames = this.#gathered;
    if (this.#worker === undefined || frames.length === 0) return;
    this.#gathered = [];
    const frameSamples = liveFrameSamples(this.#sampleRateHz);
    const samples = new Int16Array(frames.length * frameSamples);
    for (const [index, { frame }] of frames.entries()) samples.set(frame, index * frameSamples);
    // Steps of a power of two above both rates keep the lanes' ids apart.
    this.#nextId += 32_768;
    const streamIds = Uint32Array.from(frames, ({ streamId }) => streamId);
    const batch: FrameBatch = { kind: "frames", id: this.#nextId, sampleRateHz: this.#sampleRateHz, streamIds, samples };
    this.#inFlight = { id: batch.id, frames };
    this.#worker.postMessage(batch, [samples.buffer]);
  }

  #receive(scores: Float32Array): void {
    const frames = this.#inFlight?.frames ?? [];
    this.#inFlight = undefined;
    for (const [index, { onScore }] of frames.entries()) onScore(scores[index] ?? 0);
    this.#schedule();
  }
}

function scoreByLoudness({ frame, onScore }: PendingFrame): void {
  onScore(frameDbfs(frame) >= FALLBACK_SPEECH_DBFS ? 1 : 0);
}
