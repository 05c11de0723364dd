/** A loaded encoder-decoder text model: tokens in, the likeliest tokens out. */
import { join } from "node:path";
import { AppError } from "../../../core/errors.js";
import { type DecoderGraphs, openDecoderGraphs, startDecoder } from "../onnx/cached-decoder.js";
import { searchGreedily } from "../onnx/greedy-search.js";
import type { ModelFilesOptions } from "../onnx/lazy-model.js";
import { idTensor, loadOnnxRuntime, type Ort, type OrtRuntime, openSession } from "../onnx/onnx-runtime.js";
import { readSeq2SeqSettings, type Seq2SeqSettings } from "./seq2seq-settings.js";

export interface WriteRequest {
  /** Follows the start mark, such as the language to write; absent for none. */
  readonly firstId?: number;
  readonly maxTokens: number;
  readonly signal: AbortSignal;
}

export class Seq2SeqModel {
  readonly settings: Seq2SeqSettings;
  readonly #ort: OrtRuntime;
  readonly #encoder: Ort.InferenceSession;
  readonly #decoder: DecoderGraphs;

  private constructor(ort: OrtRuntime, settings: Seq2SeqSettings, encoder: Ort.InferenceSession, decoder: DecoderGraphs) {
    this.settings = settings;
    this.#ort = ort;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open({ directory, suffix, ...session }: ModelFilesOptions): Promise<Seq2SeqModel> {
    const settings = await readSeq2SeqSettings(directory);
    const ort = await loadOnnxRuntime();
    const encoder = await openSession(ort, join(directory, "onnx", `encoder_model${suffix}.onnx`), session).catch(() => {
      throw new AppError("MODEL_FILES_INVALID", `The model's onnx/encoder_model${suffix}.onnx is missing or broken; import the model again from a whole copy.`);
    });
    return new Seq2SeqModel(ort, settings, encoder, await openDecoderGraphs(ort, join(directory, "onnx"), { suffix, ...session }));
  }

  /** @returns what was written, without marks. @throws the signal's reason between two tokens */
  async write(ids: readonly number[], { firstId, maxTokens, signal }: WriteRequest): Promise<readonly number[]> {
    const { startId, endId, suppressed, positions, forcedFirstId, noRepeatSize } = this.settings;
    const attentionMask = idTensor(this.#ort, [ids.map(() => 1)]);
    const outputs = await this.#encoder.run({ input_ids: idTensor(this.#ort, [ids]), attention_mask: attentionMask });
    const hiddenStates = outputs["last_hidden_state"];
    if (hiddenStates === undefined) throw new AppError("MODEL_FILES_INVALID", "The model's encoder gives no states; import the model again.");
    const decoder = startDecoder(this.#ort, this.#decoder, this.settings, { hiddenStates, attentionMask });
    const first = firstId ?? forcedFirstId;
    const prompt = first === undefined ? [startId] : [startId, first];
    const { logits } = await decoder.step([prompt]);
    const last = logits.subarray(logits.length - logits.length / prompt.length);
    const rules = { suppressed, suppressedAtBegin: [], ...(noRepeatSize === undefined ? {} : { noRepeatSize }) };
    const options = { rules, endId, maxTokens: Math.min(maxTokens, positions - prompt.length), signal };
    const [written] = await searchGreedily({ decoder, logits: [last] }, options, { temperature: 0, random: () => 0 });
    return written?.tokens ?? [];
  }

  async close(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#decoder.first.release(), this.#decoder.later?.release()]);
  }
}
