/** A loaded Whisper model: sound to encoder states, and decoders that write from them. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { LogMel } from "../../../audio/features/log-mel.js";
import { AppError } from "../../../core/errors.js";
import { type DecoderGraphs, type DecoderShape, type DecoderSteps, startDecoder } from "../onnx/cached-decoder.js";
import { loadOnnxRuntime, type Ort, type OrtRuntime, openSession } from "../onnx/onnx-runtime.js";
import { readWhisperSettings, type WhisperSettings } from "./whisper-settings.js";

/** Mel frames per encoder position. */
const FRAMES_PER_POSITION = 2;

export interface WhisperModelOptions {
  /** Holds the model's files, the graphs under `onnx/`. */
  readonly directory: string;
  /** Ending of the graphs' names: empty for fp32, `_quantized`, `_fp16`. */
  readonly suffix: string;
  readonly threads: number;
}

export class WhisperModel {
  readonly settings: WhisperSettings;
  readonly #ort: OrtRuntime;
  readonly #encoder: Ort.InferenceSession;
  readonly #decoder: DecoderGraphs;
  readonly #shape: DecoderShape;
  readonly #logMel: LogMel;

  private constructor(ort: OrtRuntime, settings: WhisperSettings, encoder: Ort.InferenceSession, decoder: DecoderGraphs) {
    const { layers, heads, width, vocabularySize } = settings;
    this.#ort = ort;
    this.settings = settings;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#shape = { layers, heads, headSize: width / heads, vocabularySize };
    this.#logMel = new LogMel(settings.melCount);
  }

  /** @throws AppError `MODEL_NOT_READY` without onnxruntime, `MODEL_FILES_INVALID` when files are missing or can't be loaded */
  static async open({ directory, suffix, threads }: WhisperModelOptions): Promise<WhisperModel> {
    const settings = await readWhisperSettings(directory);
    const ort = await loadOnnxRuntime();
    const open = (name: string): Promise<Ort.InferenceSession> =>
      openSession(ort, join(directory, "onnx", `${name}${suffix}.onnx`), { threads }).catch(() => {
        throw new AppError("MODEL_FILES_INVALID", `The model's onnx/${name}${suffix}.onnx is missing or broken; import the model again from a whole copy.`);
      });
    const isMerged = await access(join(directory, "onnx", `decoder_model_merged${suffix}.onnx`)).then(
      () => true,
      () => false,
    );
    const decoder = isMerged
      ? { first: await open("decoder_model_merged") }
      : { first: await open("decoder_model"), later: await open("decoder_with_past_model") };
    return new WhisperModel(ort, settings, await open("encoder_model"), decoder);
  }

  /** True when the decoder tells what it listened to. */
  get hasCrossAttentions(): boolean {
    return this.#decoder.first.outputNames.some((name) => name.startsWith("cross_attentions."));
  }

  /** @param samples - mono, 16 kHz, +-1; silence is added or the end cut. @returns features of `frameCount` frames of 10 ms, a row a band */
  features(samples: Float32Array, frameCount: number): Float32Array {
    return this.#logMel.compute(samples, frameCount);
  }

  /** @param windows - features of whole windows, see `windowFrames`. @returns `[windows, positions, width]` */
  async encode(windows: readonly Float32Array[]): Promise<Ort.Tensor> {
    const { melCount } = this.settings;
    const size = melCount * this.windowFrames;
    const features = new Float32Array(windows.length * size);
    for (const [index, window] of windows.entries()) features.set(window, index * size);
    const inputName = this.#encoder.inputNames[0] ?? "input_features";
    const outputs = await this.#encoder.run({ [inputName]: new this.#ort.Tensor("float32", features, [windows.length, melCount, this.windowFrames]) });
    const states = outputs["last_hidden_state"];
    if (states === undefined || states.dims[2] !== this.settings.width) {
      throw new AppError("MODEL_FILES_INVALID", "The model's encoder does not give what its config.json promises; import the model again.");
    }
    return states;
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
