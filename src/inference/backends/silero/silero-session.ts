/** Loads onnxruntime and the Silero model, for the model process and for the live thread. */
import type * as Ort from "onnxruntime-node";

export type OrtRuntime = typeof Ort;
export type { Ort };

/** @throws when onnxruntime-node is not installed or the file is not the model */
export async function openSileroSession(modelPath: string): Promise<{ readonly ort: OrtRuntime; readonly session: Ort.InferenceSession }> {
  const loaded = (await import("onnxruntime-node")) as unknown as { default?: OrtRuntime } & OrtRuntime;
  // A CommonJS package: loaders differ in whether its exports stand under `default`.
  const ort = loaded.default ?? loaded;
  // One thread: a batch is small, and the machine's cores are for speech recognition.
  const session = await ort.InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  return { ort, session };
}
