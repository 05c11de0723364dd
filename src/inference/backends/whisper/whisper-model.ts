/** A loaded Whisper model: sound to encoder states, and decoders that write from them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LogMel, MEL_HOP_SAMPLES } from "../../../audio/features/log-mel.js";
import { AppError } from "../../../core/errors.js";
import { type DecoderGraphs, type DecoderShape, type DecoderSteps, openDecoderGraphs, startDecoder } from "../onnx/cached-decoder.js";
import type { ModelFilesOptions } from "../onnx/lazy-model.js";
import { loadOnnxRuntime, type Ort, type OrtRuntime, openSession, type SessionOptions } from "../onnx/onnx-runtime.js";
import { withShortWindows } from "./short-window-encoder.js";
import { readWhisperSettings, type WhisperSettings } from "./whisper-settings.js";

/** Mel frames per encoder position. */
export const FRAMES_PER_POSITION = 2;

export class WhisperModel {
  readonly settings: WhisperSettings;
  /** False: every window costs as much as one of 30 s. */
  readonly hasShortWindows: boolean;
  readonly #ort: OrtRuntime;
  readonly #encoder: Ort.InferenceSession;
  readonly #decoder: DecoderGraphs;
  readonly #shape: DecoderShape;
  readonly #logMel: LogMel;

  private constructor(
    ort: OrtRuntime,
    settings: WhisperSettings,
    { encoder, decoder, hasShortWindows }: { readonly encoder: Ort.InferenceSession; readonly decoder: DecoderGraphs; readonly hasShortWindows: boolean },
  ) {
    const { layers, heads, width, vocabularySize } = settings;
    this.#ort = ort;
    this.settings = settings;
    this.hasShortWindows = hasShortWindows;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#shape = { layers, heads, headSize: width / heads, vocabularySize };
    this.#logMel = new LogMel(settings.melCount);
  }

  /** @throws AppError `MODEL_NOT_READY` without onnxruntime, `MODEL_FILES_INVALID` when files are missing or can't be loaded */
  static async open({ directory, suffix, ...session }: ModelFilesOptions): Promise<WhisperModel> {
    const settings = await readWhisperSettings(directory);
    const ort = await loadOnnxRuntime();
    const decoder = await openDecoderGraphs(ort, join(directory, "onnx"), { suffix, ...session });
    const path = join(directory, "onnx", `encoder_model${suffix}.onnx`);
    const short = await openShortEncoder(ort, path, settings, session);
    const brokenEncoder = (): never => {
      throw new AppError("MODEL_FILES_INVALID", `The model's onnx/encoder_model${suffix}.onnx is missing or broken; import the model again from a whole copy.`);
    };
    return new WhisperModel(ort, settings, {
      encoder: short ?? (await openSession(ort, path, session).catch(brokenEncoder)),
      decoder,
      hasShortWindows: short !== undefined,
    });
  }

  /** True when the decoder tells what it listened to. */
  get hasCrossAttentions(): boolean {
    return this.#decoder.first.outputNames.some((name) => name.startsWith("cross_attentions."));
  }

  /** Heads that follow the sound; where the model does not name them, all of the upper half of the decoder. */
  get alignmentHeads(): readonly (readonly [number, number])[] {
    const { alignmentHeads, layers, heads } = this.settings;
    const upper = Array.from({ length: layers - Math.floor(layers / 2) }, (_, index) => Math.floor(layers / 2) + index);
    return alignmentHeads ?? upper.flatMap((layer) => Array.from({ length: heads }, (_, head) => [layer, head] as const));
  }

  /** @param samples - mono, 16 kHz, +-1; silence is added or the end cut. @returns features of `frameCount` frames of 10 ms, a row a band */
  features(samples: Float32Array, frameCount: number): Float32Array {
    return this.#logMel.compute(samples, frameCount);
  }

  /**
   * @param windows - features, each of `2 * positions` frames
   * @param positions - 1 to `sourcePositions`; less than that only with short windows
   * @returns `[windows, positions, width]`
   */
  async encode(windows: readonly Float32Array[], positions = this.settings.sourcePositions): Promise<Ort.Tensor> {
    const { melCount, sourcePositions, width } = this.settings;
    const session = this.#encoder;
    const frames = positions * FRAMES_PER_POSITION;
    if ((positions !== sourcePositions && !this.hasShortWindows) || windows.some(({ length }) => length !== melCount * frames))
      throw new RangeError("the windows are not of this length");
    const features = new Float32Array(windows.length * melCount * frames);
    for (const [index, window] of windows.entries()) features.set(window, index * melCount * frames);
    const outputs = await session.run({ [session.inputNames[0] ?? ""]: new this.#ort.Tensor("float32", features, [windows.length, melCount, frames]) });
    const states = outputs["last_hidden_state"];
    if (states === undefined || states.dims[1] !== positions || states.dims[2] !== width) {
      throw new AppError("MODEL_FILES_INVALID", "The model's encoder does not give what its config.json promises; import the model again.");
    }
    return states;
  }

  /** Positions of a window that holds so much sound: as few as can be, with a margin of silence; all of them without short windows. */
  positionsFor(sampleCount: number, margin: number): number {
    const { sourcePositions } = this.settings;
    if (!this.hasShortWindows) return sourcePositions;
    return Math.min(sourcePositions, Math.ceil(sampleCount / (MEL_HOP_SAMPLES * FRAMES_PER_POSITION)) + margin);
  }

  startDecoder(hiddenStates: Ort.Tensor): DecoderSteps {
    return startDecoder(this.#ort, this.#decoder, this.#shape, { hiddenStates });
  }

  /** Frames of a whole window: 3000, which are 30 s. */
  get windowFrames(): number {
    return this.settings.sourcePositions * FRAMES_PER_POSITION;
  }

  async close(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#decoder.first.release(), this.#decoder.later?.release()]);
  }
}

/** A length that no export was made for. */
const TRIAL_POSITIONS = 61;

/** Undefined when the graph can't be changed, or does not do the same afterwards: windows are padded then. */
async function openShortEncoder(ort: OrtRuntime, path: string, settings: WhisperSettings, options: SessionOptions): Promise<Ort.InferenceSession | undefined> {
  try {
    const changed = withShortWindows(await readFile(path), settings.sourcePositions);
    if (changed === undefined) return undefined;
    const session = await openSession(ort, changed, options);
    if (await isUsable(ort, session, settings)) return session;
    await session.release();
    return undefined;
  } catch {
    return undefined;
  }
}

async function isUsable(ort: OrtRuntime, session: Ort.InferenceSession, { melCount, width }: WhisperSettings): Promise<boolean> {
  const run = async (positions: number): Promise<Ort.Tensor | undefined> => {
    const frames = positions * FRAMES_PER_POSITION;
    const features = Float32Array.from({ length: melCount * frames }, (_, index) => Math.sin(index % frames));
    return (await session.run({ [session.inputNames[0] ?? ""]: new ort.Tensor("float32", features, [1, melCount, frames]) }))["last_hidden_state"];
  };
  const short = await run(TRIAL_POSITIONS);
  return short !== undefined && short.dims[1] === TRIAL_POSITIONS && short.dims[2] === width && (short.data as Float32Array).every(Number.isFinite);
}
