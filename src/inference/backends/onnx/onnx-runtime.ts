/** The only door to onnxruntime: loads it, opens models, makes tensors. */
import type * as Ort from "onnxruntime-node";
import { AppError } from "../../../core/errors.js";
import { floatOfHalf, halfBits } from "./half-float.js";

export type OrtRuntime = typeof Ort;
export type { Ort };

/** What computes: the processor, or a GPU by CUDA. */
export type ComputeDevice = "cpu" | "cuda";

/**
 * Its builds tell Microsoft of every start, model and error, and keep what could not be sent, unless this is set before they
 * are loaded. A thread has a copy of the environment that native code does not see: whoever starts a thread that loads the
 * runtime calls this in the main thread first.
 */
export function forbidTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
}

/** @throws AppError `MODEL_NOT_READY` when onnxruntime-node is not installed or does not run on this machine */
export async function loadOnnxRuntime(): Promise<OrtRuntime> {
  forbidTelemetry();
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
  /** Default `cpu`. A GPU that does not do leaves the work to the processor. */
  readonly device?: ComputeDevice;
}

/** @throws when the file is no model that this runtime can run */
export async function openSession(ort: OrtRuntime, model: string | Uint8Array, { threads, device = "cpu" }: SessionOptions): Promise<Ort.InferenceSession> {
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
  const open = (executionProviders: readonly string[]): Promise<Ort.InferenceSession> => {
    const chosen = { ...options, executionProviders: [...executionProviders] };
    return typeof model === "string" ? ort.InferenceSession.create(model, chosen) : ort.InferenceSession.create(model, chosen);
  };
  const session = device === "cuda" ? await open(["cuda", "cpu"]).catch(() => open(["cpu"])) : await open(["cpu"]);
  return withFloatTensors(ort, session);
}

/** Token ids as a tensor. @param rows - of equal length */
export function idTensor(ort: OrtRuntime, rows: readonly (readonly number[])[]): Ort.Tensor {
  const width = rows[0]?.length ?? 0;
  return new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, width]);
}

/** JavaScript has a type for them from Node 24 on; before, their bits are numbers of 16 bits. */
type HalfArray = Uint16Array;
const HalfArrayOf = ((globalThis as { Float16Array?: unknown }).Float16Array ?? Uint16Array) as new (
  buffer: ArrayBufferLike,
  byteOffset?: number,
  length?: number,
) => HalfArray;

const CACHE = /^(?:present|past_key_values)\./u;

/**
 * Models of type `fp16` and `q4f16` may take and give 16-bit floats. Everything else here computes with 32 bits, so these are
 * converted; caches that only go round stay as they are.
 *
 * @returns the session itself when it has no half floats
 */
function withFloatTensors(ort: OrtRuntime, session: Ort.InferenceSession): Ort.InferenceSession {
  const halves = (values: Ort.InferenceSession["inputMetadata"]): ReadonlySet<string> =>
    new Set(values.flatMap((value) => (value.isTensor && value.type === "float16" ? [value.name] : [])));
  const [inputs, outputs] = [halves(session.inputMetadata), halves(session.outputMetadata)];
  if (inputs.size === 0 && outputs.size === 0) return session;
  const run = async (feeds: Readonly<Record<string, Ort.Tensor>>): Promise<Record<string, Ort.Tensor>> => {
    const given = Object.entries(feeds).map(([name, tensor]) => [name, inputs.has(name) && tensor.type === "float32" ? toHalf(ort, tensor) : tensor] as const);
    const results = await session.run(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [
        name,
        outputs.has(name) && !CACHE.test(name) ? toFloat(ort, tensor as Ort.Tensor) : (tensor as Ort.Tensor),
      ]),
    );
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputMetadata: session.inputMetadata,
    outputMetadata: session.outputMetadata,
    run,
    release: () => session.release(),
  } as unknown as Ort.InferenceSession;
}

function toHalf(ort: OrtRuntime, tensor: Ort.Tensor): Ort.Tensor {
  const bits = Uint16Array.from(tensor.data as Float32Array, halfBits);
  return new ort.Tensor("float16", new HalfArrayOf(bits.buffer), tensor.dims);
}

function toFloat(ort: OrtRuntime, tensor: Ort.Tensor): Ort.Tensor {
  const half = tensor.data as HalfArray;
  const bits = new Uint16Array(half.buffer, half.byteOffset, half.length);
  return new ort.Tensor("float32", Float32Array.from(bits, floatOfHalf), tensor.dims);
}
