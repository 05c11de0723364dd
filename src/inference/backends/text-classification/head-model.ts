/** A loaded model of one or more heads: texts in, for each head the logits of its labels out. */
import { AppError } from "../../../core/errors.js";
import { splitToFit } from "../../text-chunker.js";
import { EncoderModel } from "../onnx/encoder-model.js";
import type { ModelFilesOptions } from "../onnx/lazy-model.js";
import type { TextTokenizer } from "../onnx/text-tokenizer.js";
import type { HeadSettings, HeadsSettings, TextForm } from "./head-settings.js";

/** Texts that run together. */
const BATCH_TEXTS = 8;

/** By head, in the settings' order. */
export type HeadLogits = readonly Float32Array[];

/** A text that is longer than the model takes is read in parts. */
export interface ReadPart {
  readonly tokenCount: number;
  readonly logits: HeadLogits;
}

export class HeadModel {
  readonly #model: EncoderModel;
  readonly #tokenizer: TextTokenizer;
  readonly #settings: HeadsSettings;

  private constructor(model: EncoderModel, tokenizer: TextTokenizer, settings: HeadsSettings) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open(options: ModelFilesOptions, tokenizer: TextTokenizer, settings: HeadsSettings): Promise<HeadModel> {
    return new HeadModel(await EncoderModel.open(options), tokenizer, settings);
  }

  /** @returns for each text, read by itself, its parts in order; at least one */
  async read(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly ReadPart[])[]> {
    const parts = texts.flatMap((text, index) => this.#split(toForm(text, this.#settings.text)).map((ids) => ({ index, ids })));
    const found: ReadPart[][] = texts.map(() => []);
    for (let from = 0; from < parts.length; from += BATCH_TEXTS) {
      signal.throwIfAborted();
      const batch = parts.slice(from, from + BATCH_TEXTS);
      const outputs = await this.#model.run(batch);
      for (const [row, { index, ids }] of batch.entries()) {
        found[index]?.push({ tokenCount: ids.length, logits: this.#settings.heads.map((head) => rowOf(outputs, head, row)) });
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  #split(text: string): readonly (readonly number[])[] {
    const encode = (part: string): readonly number[] => this.#tokenizer.encode(part).ids;
    return splitToFit(text, (part) => encode(part).length <= this.#tokenizer.maxTokens).map(encode);
  }
}

function rowOf(outputs: Awaited<ReturnType<EncoderModel["run"]>>, { output: name, from, labels }: HeadSettings, row: number): Float32Array {
  const output = outputs[name];
  const width = output?.dims.at(-1) ?? 0;
  // A head that shares its output with others has columns of its own; one that has it for itself has all of them.
  if (output === undefined || width < from + labels.length) {
    throw new AppError("MODEL_FILES_INVALID", `The model's output ${name} has not as many columns as its labels; see heads.json in docs/models.md.`);
  }
  return output.values.slice(row * width + from, row * width + from + labels.length);
}

/** Of all parts, by their length. */
export function meanLogits(parts: readonly ReadPart[]): HeadLogits {
  const total = parts.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const [first] = parts;
  return (first?.logits ?? []).map((one, head) =>
    one.map((_, column) => parts.reduce((sum, { tokenCount, logits }) => sum + (tokenCount / total) * (logits[head]?.[column] ?? 0), 0)),
  );
}

/** As the model was taught to read. */
export function toForm(text: string, form: TextForm): string {
  if (form === "as_is") return text;
  return text
    .toLowerCase()
    .trim()
    .replace(/[^a-z0-9\s]/gu, "");
}

/** 0..1, adding up to 1. */
export function softmax(logits: Float32Array, temperature = 1): Float32Array {
  const highest = Math.max(...logits);
  const raised = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const total = raised.reduce((sum, value) => sum + value, 0);
  return raised.map((value) => value / total);
}

export function sigmoid(logit: number, temperature = 1): number {
  return 1 / (1 + Math.exp(-logit / temperature));
}
