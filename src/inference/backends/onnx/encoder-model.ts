/** A loaded text model without a decoder: token ids in, whatever its graph tells of them out. */
import { join } from "node:path";
import { AppError } from "../../../core/errors.js";
import type { ModelFilesOptions } from "./lazy-model.js";
import { idTensor, loadOnnxRuntime, type Ort, type OrtRuntime, openSession } from "./onnx-runtime.js";

/** One text, as its tokenizer gives it. */
export interface EncoderInput {
  readonly ids: readonly number[];
  /** 1 for the second of two texts; absent: one text. */
  readonly typeIds?: readonly number[];
}

/** Of a batch: row after row. */
export interface EncoderOutput {
  readonly values: Float32Array;
  /** The first is the number of rows. */
  readonly dims: readonly number[];
}

export class EncoderModel {
  readonly #ort: OrtRuntime;
  readonly #session: Ort.InferenceSession;

  private constructor(ort: OrtRuntime, session: Ort.InferenceSession) {
    this.#ort = ort;
    this.#session = session;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open({ directory, suffix, ...options }: ModelFilesOptions): Promise<EncoderModel> {
    const ort = await loadOnnxRuntime();
    const session = await openSession(ort, join(directory, "onnx", `model${suffix}.onnx`), options).catch(() => {
      throw new AppError("MODEL_FILES_INVALID", `The model's onnx/model${suffix}.onnx is missing or broken; import the model again from a whole copy.`);
    });
    return new EncoderModel(ort, session);
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /** Rows of different lengths are filled up to the longest and masked. */
  async run(rows: readonly EncoderInput[]): Promise<Readonly<Record<string, EncoderOutput>>> {
    const width = Math.max(...rows.map(({ ids }) => ids.length));
    const filled = (values: readonly number[]): readonly number[] => [...values, ...Array<number>(width - values.length).fill(0)];
    const feeds: Record<string, Ort.Tensor> = {
      input_ids: idTensor(
        this.#ort,
        rows.map(({ ids }) => filled(ids)),
      ),
      attention_mask: idTensor(
        this.#ort,
        rows.map(({ ids }) => filled(ids.map(() => 1))),
      ),
    };
    if (this.#session.inputNames.includes("token_type_ids")) {
      feeds["token_type_ids"] = idTensor(
        this.#ort,
        rows.map(({ ids, typeIds }) => filled(typeIds ?? ids.map(() => 0))),
      );
    }
    const outputs = await this.#session.run(feeds);
    return Object.fromEntries(Object.entries(outputs).map(([name, { data, dims }]) => [name, { values: data as Float32Array, dims }]));
  }

  /** The output of this name, `width` wide. @throws AppError `MODEL_FILES_INVALID` */
  async runFor(name: string, width: number, rows: readonly EncoderInput[]): Promise<Float32Array> {
    const output = (await this.run(rows))[name];
    if (output === undefined || output.dims.at(-1) !== width) {
      throw new AppError("MODEL_FILES_INVALID", `The model's graph does not give ${name} as its settings say; import the model again from a whole copy.`);
    }
    return output.values;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}
