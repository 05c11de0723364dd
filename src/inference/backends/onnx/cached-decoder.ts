/**
 * A text decoder that was exported as `optimum` lays it out (merged, or one graph for the first step and one for later
 * ones), stepped with its caches kept between steps. Rows of a batch may be copied and dropped, as beams need it.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../core/errors.js";
import { idTensor, type Ort, type OrtRuntime, openSession, type SessionOptions } from "./onnx-runtime.js";

/** The graphs of a decoder; `later` is absent when `first` has a branch for later steps. */
export interface DecoderGraphs {
  readonly first: Ort.InferenceSession;
  readonly later?: Ort.InferenceSession;
}

export interface DecoderShape {
  readonly layers: number;
  readonly heads: number;
  /** Values per head. */
  readonly headSize: number;
  readonly vocabularySize: number;
}

export interface StepOutput {
  /** `Float32Array[rows * positions * vocabularySize]`; may be changed. */
  readonly logits: Float32Array;
  readonly rows: number;
  readonly positions: number;
  /** Attention of each layer to the encoder, `[rows, heads, positions, encoder positions]`; empty when it was not exported. */
  readonly crossAttentions: readonly Ort.Tensor[];
}

/** One batch of sequences that are being written. */
export interface DecoderSteps {
  /** @param rows - new tokens of each sequence, the same number each. */
  step(rows: readonly (readonly number[])[]): Promise<StepOutput>;
  /** The sequences go on as copies of these. */
  keep(rows: readonly number[]): void;
}

export interface DecoderInput {
  readonly hiddenStates: Ort.Tensor;
  /** For decoders of text models; `[rows, encoder positions]`. */
  readonly attentionMask?: Ort.Tensor;
}

const CACHE_KINDS = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"] as const;
const CROSS_ATTENTION = "cross_attentions.";

/** @param directory - holds the graphs. @throws AppError `MODEL_FILES_INVALID` when one is missing or can't be loaded */
export async function openDecoderGraphs(
  ort: OrtRuntime,
  directory: string,
  { suffix, ...session }: SessionOptions & { readonly suffix: string },
): Promise<DecoderGraphs> {
  const open = (name: string): Promise<Ort.InferenceSession> =>
    openSession(ort, join(directory, `${name}${suffix}.onnx`), session).catch(() => {
      throw new AppError("MODEL_FILES_INVALID", `The model's onnx/${name}${suffix}.onnx is missing or broken; import the model again from a whole copy.`);
    });
  const isMerged = await access(join(directory, `decoder_model_merged${suffix}.onnx`)).then(
    () => true,
    () => false,
  );
  return isMerged ? { first: await open("decoder_model_merged") } : { first: await open("decoder_model"), later: await open("decoder_with_past_model") };
}

/** Nothing runs before the first step. */
export function startDecoder(ort: OrtRuntime, graphs: DecoderGraphs, shape: DecoderShape, input: DecoderInput): DecoderSteps {
  return new CachedDecoder(ort, graphs, shape, input);
}

class CachedDecoder implements DecoderSteps {
  readonly #ort: OrtRuntime;
  readonly #graphs: DecoderGraphs;
  readonly #shape: DecoderShape;
  #input: DecoderInput;
  /** By name without `past_key_values.` or `present.`. */
  readonly #caches = new Map<string, Ort.Tensor>();

  constructor(ort: OrtRuntime, graphs: DecoderGraphs, shape: DecoderShape, input: DecoderInput) {
    this.#ort = ort;
    this.#graphs = graphs;
    this.#shape = shape;
    this.#input = input;
  }

  async step(rows: readonly (readonly number[])[]): Promise<StepOutput> {
    const isFirst = this.#caches.size === 0;
    const session = isFirst ? this.#graphs.first : (this.#graphs.later ?? this.#graphs.first);
    const outputs = await session.run(this.#feeds(session, rows, isFirst));
    for (const name of this.#cacheNames()) {
      const present = outputs[`present.${name}`];
      // What a decoder keeps of the encoder never changes; a merged graph gives it empty from the second step on.
      if (present !== undefined && (isFirst || !name.includes(".encoder."))) this.#caches.set(name, present);
    }
    const positions = rows[0]?.length ?? 0;
    const crossAttentions = session.outputNames.filter((name) => name.startsWith(CROSS_ATTENTION)).flatMap((name) => outputs[name] ?? []);
    const logits = outputs["logits"]?.data as Float32Array;
    return { logits, rows: rows.length, positions, crossAttentions };
  }

  keep(rows: readonly number[]): void {
    const batch = this.#batchOf([...this.#caches.values()][0] ?? this.#input.hiddenStates);
    if (rows.length === batch && rows.every((row, index) => row === index)) return;
    for (const [name, cache] of this.#caches) this.#caches.set(name, this.#gather(cache, rows));
    const { hiddenStates, attentionMask } = this.#input;
    this.#input = {
      hiddenStates: this.#gather(hiddenStates, rows),
      ...(attentionMask === undefined ? {} : { attentionMask: this.#gather(attentionMask, rows) }),
    };
  }

  #feeds(session: Ort.InferenceSession, rows: readonly (readonly number[])[], isFirst: boolean): Ort.InferenceSession.FeedsType {
    const { Tensor } = this.#ort;
    const feeds: Record<string, Ort.Tensor> = { input_ids: idTensor(this.#ort, rows) };
    for (const name of session.inputNames) {
      if (name === "encoder_hidden_states") feeds[name] = this.#input.hiddenStates;
      else if (name === "encoder_attention_mask" && this.#input.attentionMask !== undefined) feeds[name] = this.#input.attentionMask;
      else if (name === "use_cache_branch") feeds[name] = new Tensor("bool", [!isFirst], [1]);
      else if (name.startsWith("past_key_values.")) feeds[name] = this.#caches.get(name.slice("past_key_values.".length)) ?? this.#emptyCache(rows.length);
    }
    return feeds;
  }

  #emptyCache(rows: number): Ort.Tensor {
    const { heads, headSize } = this.#shape;
    return new this.#ort.Tensor("float32", new Float32Array(0), [rows, heads, 0, headSize]);
  }

  #cacheNames(): readonly string[] {
    return Array.from({ length: this.#shape.layers }, (_, layer) => CACHE_KINDS.map((kind) => `${layer}.${kind}`)).flat();
  }

  #batchOf(tensor: Ort.Tensor): number {
    return tensor.dims[0] ?? 0;
  }

  #gather(tensor: Ort.Tensor, rows: readonly number[]): Ort.Tensor {
    const source = tensor.data as Float32Array | BigInt64Array | Uint16Array;
    const rowSize = source.length / Math.max(1, this.#batchOf(tensor));
    const dims = [rows.length, ...tensor.dims.slice(1)];
    if (source instanceof BigInt64Array) {
      const copy = new BigInt64Array(rows.length * rowSize);
      for (const [index, row] of rows.entries()) copy.set(source.subarray(row * rowSize, (row + 1) * rowSize), index * rowSize);
      return new this.#ort.Tensor("int64", copy, dims);
    }
    // Of the caches' own kind, which may be 16-bit floats.
    const copy = new (source.constructor as Float32ArrayConstructor)(rows.length * rowSize);
    for (const [index, row] of rows.entries()) copy.set(source.subarray(row * rowSize, (row + 1) * rowSize), index * rowSize);
    return new this.#ort.Tensor(tensor.type, copy, dims) as Ort.Tensor;
  }
}
