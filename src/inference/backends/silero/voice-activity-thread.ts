/**
 * The thread that scores live frames with Silero v5: frames of many streams as one batch, each stream with its own
 * state and the samples before its frame. onnxruntime blocks while it runs, so it may not run beside the sockets.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type LiveSampleRateHz, liveFrameSamples } from "../../live-voice-activity.js";
import { frameDbfs } from "../energy/energy-voice-activity-detector.js";
import { loadOnnxRuntime, openSession } from "../onnx/onnx-runtime.js";

import type { FrameBatch, MessageFromThread, MessageToThread, ThreadOptions } from "./voice-activity-message.js";

const STATE_SIZE = 128;
const BATCH = 32;
/** Frames below this hold no telephone speech worth asking the model about. */
const GATE_DBFS = -58;
/** After this many frames below the gate (1 s) the stream's state is that of a new one. */
const FORGET_FRAMES = 31;

interface StreamState {
  /** Two layers of 128. */
  hidden: Float32Array;
  /** The samples before the next frame, ±1. */
  readonly context: Float32Array;
  quietFrames: number;
}

/** The model wants this many samples before each frame; without them it runs and finds no speech at all. */
const contextSamples = (sampleRateHz: LiveSampleRateHz): number => sampleRateHz / 250;

const ort = await loadOnnxRuntime();
// One thread: a batch is small, and the machine's cores are for speech recognition.
const session = await openSession(ort, (workerData as ThreadOptions).modelPath, { threads: 1 });
const streams = new Map<number, StreamState>();

/** Runs of frames in which every stream occurs once, at most `BATCH` long. */
function* rounds({ streamIds }: FrameBatch): Generator<readonly number[]> {
  let waiting = Array.from(streamIds.keys());
  while (waiting.length > 0) {
    const taken = new Set<number>();
    const round: number[] = [];
    const later: number[] = [];
    for (const frame of waiting) {
      const streamId = streamIds[frame] ?? 0;
      if (taken.has(streamId) || round.length === BATCH) later.push(frame);
      else round.push(frame);
      taken.add(streamId);
    }
    yield round;
    waiting = later;
  }
}

function stateOf(streamId: number, sampleRateHz: LiveSampleRateHz): StreamState {
  const known = streams.get(streamId);
  if (known !== undefined) return known;
  const created = { hidden: new Float32Array(2 * STATE_SIZE), context: new Float32Array(contextSamples(sampleRateHz)), quietFrames: 0 };
  streams.set(streamId, created);
  return created;
}

interface LoudFrame {
  readonly frame: number;
  readonly state: StreamState;
  /** Context, then the frame, ±1. */
  readonly samples: Float32Array;
}

async function score(batch: FrameBatch): Promise<Float32Array> {
  const scores = new Float32Array(batch.streamIds.length);
  for (const round of rounds(batch)) {
    const loud = round.flatMap((frame) => prepare(batch, frame) ?? []);
    if (loud.length > 0) await run(loud, batch.sampleRateHz, scores);
  }
  return scores;
}

/** Undefined for a frame below the gate: its score is 0, and the model is not asked. */
function prepare(batch: FrameBatch, frame: number): LoudFrame | undefined {
  const frameSamples = liveFrameSamples(batch.sampleRateHz);
  const pcm = batch.samples.subarray(frame * frameSamples, (frame + 1) * frameSamples);
  const state = stateOf(batch.streamIds[frame] ?? 0, batch.sampleRateHz);
  const samples = new Float32Array(state.context.length + frameSamples);
  samples.set(state.context);
  for (let index = 0; index < frameSamples; index++) samples[state.context.length + index] = (pcm[index] ?? 0) / 32768;
  state.context.set(samples.subarray(frameSamples));
  if (frameDbfs(pcm) < GATE_DBFS) {
    if (++state.quietFrames === FORGET_FRAMES) state.hidden.fill(0);
    return undefined;
  }
  state.quietFrames = 0;
  return { frame, state, samples };
}

async function run(loud: readonly LoudFrame[], sampleRateHz: LiveSampleRateHz, scores: Float32Array): Promise<void> {
  const width = loud[0]?.samples.length ?? 0;
  const input = new Float32Array(loud.length * width);
  const hidden = new Float32Array(2 * loud.length * STATE_SIZE);
  const placeOf = (layer: number, row: number): number => (layer * loud.length + row) * STATE_SIZE;
  for (const [row, { state, samples }] of loud.entries()) {
    input.set(samples, row * width);
    for (const layer of [0, 1]) hidden.set(state.hidden.subarray(layer * STATE_SIZE, (layer + 1) * STATE_SIZE), placeOf(layer, row));
  }
  const output = await session.run({
    input: new ort.Tensor("float32", input, [loud.length, width]),
    state: new ort.Tensor("float32", hidden, [2, loud.length, STATE_SIZE]),
    sr: new ort.Tensor("int64", BigInt64Array.of(BigInt(sampleRateHz)), []),
  });
  const next = output["stateN"]?.data as Float32Array;
  const speech = output["output"]?.data as Float32Array;
  for (const [row, { frame, state }] of loud.entries()) {
    scores[frame] = speech[row] ?? 0;
    for (const layer of [0, 1]) state.hidden.set(next.subarray(placeOf(layer, row), placeOf(layer, row) + STATE_SIZE), layer * STATE_SIZE);
  }
}

function send(message: MessageFromThread): void {
  parentPort?.postMessage(message);
}

let order: Promise<void> = Promise.resolve();
parentPort?.on("message", (message: MessageToThread) => {
  // One after the other: a stream's state is that after its last frame.
  order = order.then(async () => {
    if (message.kind === "forget") streams.delete(message.streamId);
    else send({ kind: "scores", id: message.id, scores: await score(message) });
  });
});
send({ kind: "ready" });
