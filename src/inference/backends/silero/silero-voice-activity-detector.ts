/**
 * Voice activity by the Silero v5 model on onnxruntime, behind an energy gate. A recording is cut into sections that
 * run side by side as one batch, each warmed up on the audio before it, which is several times faster than frame by
 * frame and gives the same scores to within noise.
 */
import type { ModelEngine } from "../../model-engine.js";
import { readPcmBlocks } from "../../pcm-blocks.js";
import type { PcmSource } from "../../speech-recognizer.js";
import { frameDbfs } from "../energy/energy-voice-activity-detector.js";
import { loadOnnxRuntime, type Ort, type OrtRuntime, openSession } from "../onnx/onnx-runtime.js";

const SAMPLE_RATE_HZ = 16_000;
const FRAME_SAMPLES = 512;
/** The model wants the 64 samples before each frame; without them it runs and finds no speech at all. */
const CONTEXT_SAMPLES = 64;
const STATE_SIZE = 128;
const SECTION_FRAMES = 320;
const WARM_UP_FRAMES = 32;
const BATCH = 32;
/** Frames below this hold no telephone speech worth asking the model about. */
const GATE_DBFS = -58;

/** @throws when onnxruntime-node is not installed or the file is not the model. */
export async function createSileroVoiceActivityDetector(options: { readonly modelPath: string }): Promise<ModelEngine<"voice_activity">> {
  const ort = await loadOnnxRuntime();
  // One thread: a batch is small, and the machine's cores are for speech recognition.
  const session = await openSession(ort, options.modelPath, { threads: 1 });
  return {
    description: {
      modelTask: "voice_activity",
      engine: "silero",
      revision: "silero-v5-2623a295",
      capabilities: { languages: ["*"], lowQuality: false, sampleRatesHz: [SAMPLE_RATE_HZ] },
    },
    run: async ({ audio }, { signal }) => ({
      frameMs: (FRAME_SAMPLES * 1000) / SAMPLE_RATE_HZ,
      speechScores: await scoreRecording(ort, session, audio, signal),
      degraded: false,
    }),
    close: () => session.release(),
  };
}

async function scoreRecording(ort: OrtRuntime, session: Ort.InferenceSession, audio: PcmSource, signal: AbortSignal): Promise<Float32Array> {
  const frameCount = Math.ceil(audio.sampleCount / FRAME_SAMPLES);
  const scores = new Float32Array(frameCount);
  // One read covers a whole batch of sections plus the warm-up before the first of them.
  const blockFrames = SECTION_FRAMES * BATCH;
  let tail = new Float32Array(WARM_UP_FRAMES * FRAME_SAMPLES + CONTEXT_SAMPLES);
  let firstFrame = 0;
  for await (const block of readPcmBlocks(audio, blockFrames * FRAME_SAMPLES, signal)) {
    const frames = Math.ceil(block.length / FRAME_SAMPLES);
    const samples = new Float32Array(tail.length + frames * FRAME_SAMPLES);
    samples.set(tail);
    for (let index = 0; index < block.length; index++) samples[tail.length + index] = (block[index] ?? 0) / 32768;
    const blockScores = scores.subarray(firstFrame, firstFrame + frames);
    if (hasSound(block)) await scoreBlock({ ort, session, samples, lead: tail.length, scores: blockScores, signal });
    gate(block, blockScores);
    tail = samples.slice(samples.length - tail.length);
    firstFrame += frames;
  }
  return scores;
}

/** A block that is quiet throughout (hold, a dead line) never reaches the model: hours of silence cost seconds. */
function hasSound(block: Int16Array): boolean {
  for (let start = 0; start < block.length; start += FRAME_SAMPLES) {
    if (frameDbfs(block.subarray(start, start + FRAME_SAMPLES)) >= GATE_DBFS) return true;
  }
  return false;
}

function gate(block: Int16Array, scores: Float32Array): void {
  for (let frame = 0; frame < scores.length; frame++) {
    if (frameDbfs(block.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES)) < GATE_DBFS) scores[frame] = 0;
  }
}

interface BlockJob {
  readonly ort: OrtRuntime;
  readonly session: Ort.InferenceSession;
  /** ±1; `lead` samples from before the block, then the block. */
  readonly samples: Float32Array;
  readonly lead: number;
  readonly scores: Float32Array;
  readonly signal: AbortSignal;
}

/** Runs the block's sections as one batch, frame by frame. */
async function scoreBlock({ ort, session, samples, lead, scores, signal }: BlockJob): Promise<void> {
  const sections = Math.ceil(scores.length / SECTION_FRAMES);
  const width = CONTEXT_SAMPLES + FRAME_SAMPLES;
  const input = new Float32Array(sections * width);
  const rate = new ort.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE_HZ)), []);
  let state = new ort.Tensor("float32", new Float32Array(2 * sections * STATE_SIZE), [2, sections, STATE_SIZE]);
  for (let step = -WARM_UP_FRAMES; step < SECTION_FRAMES; step++) {
    signal.throwIfAborted();
    for (let section = 0; section < sections; section++) {
      const start = lead + (section * SECTION_FRAMES + step) * FRAME_SAMPLES - CONTEXT_SAMPLES;
      input.fill(0, section * width, (section + 1) * width);
      if (start < samples.length) input.set(samples.subarray(start, start + width), section * width);
    }
    const output = await session.run({ input: new ort.Tensor("float32", input, [sections, width]), state, sr: rate });
    state = output["stateN"] as Ort.TypedTensor<"float32">;
    if (step < 0) continue;
    const speech = output["output"]?.data as Float32Array;
    for (let section = 0; section < sections; section++) {
      const frame = section * SECTION_FRAMES + step;
      if (frame < scores.length) scores[frame] = speech[section] ?? 0;
    }
  }
}
