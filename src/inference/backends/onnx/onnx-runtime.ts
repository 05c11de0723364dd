/** The only door to onnxruntime: loads it, opens models, makes tensors. */
import type * as Ort from "onnxruntime-node";
import { AppError } from "../../../core/errors.js";

export type OrtRuntime = typeof Ort;
export type { Ort };

/** @throws AppError `MODEL_NOT_READY` when onnxruntime-node is not installed or does not run on this machine */
export async function loadOnnxRuntime(): Promise<OrtRuntime> {
  try {
    const loaded = (await import("onnxruntime-node")) as unknown as { default?: OrtRuntime } & OrtRuntime;
    // A CommonJS package: loaders differ in whether its exports stand under `default`.
    return loaded.default ?? loaded;
  } catch {
    throw new AppError("MODEL_NOT_READY", "The package onnxruntime-node is not installed or does not run here; run: npm install onnxruntime-node@1.30.0");
  }
}

export interface SessionOptions {
  /** Threads for one operator. */
  readonly threads: number;
}

/** @throws when the file is no model that this runtime can run */
export function openSession(ort: OrtRuntime, model: string | Uint8Array, { threads }: SessionOptions): Promise<Ort.InferenceSession> {
  const options: Ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // What goes wrong is thrown, and told by us.
    logSeverityLevel: 4,
    // The arena keeps the most that was ever needed, for every shape of input. Measured on Whisper base: as fast without it,
    // and half the memory.
    enableCpuMemArena: false,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  return typeof model === "string" ? ort.InferenceSession.create(model, options) : ort.InferenceSession.create(model, options);
}

/** Token ids as a tensor. @param rows - of equal length */
export function idTensor(ort: OrtRuntime, rows: readonly (readonly number[])[]): Ort.Tensor {
  const width = rows[0]?.length ?? 0;
  return new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, width]);
}
