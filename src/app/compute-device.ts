/** Whether a GPU does the work of installed models. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ComputeDevice, loadOnnxRuntime } from "../inference/backends/onnx/onnx-runtime.js";

const NVIDIA = "/proc/driver/nvidia/gpus";

/** Names of the NVIDIA GPUs that the driver shows; other makes are not used. */
export function findGpus(directory: string = NVIDIA): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => {
    try {
      return /^Model:\s*(.+)$/mu.exec(readFileSync(join(directory, name, "information"), "utf8"))?.[1]?.trim() ?? "NVIDIA GPU";
    } catch {
      return "NVIDIA GPU";
    }
  });
}

/** @param wanted - `auto`: the GPU where there is one that onnxruntime can use */
export async function chooseDevice(wanted: "auto" | ComputeDevice, gpus: readonly string[] = findGpus()): Promise<ComputeDevice> {
  if (wanted !== "auto") return wanted;
  if (gpus.length === 0) return "cpu";
  return (await canUseCuda()) ? "cuda" : "cpu";
}

/** The package comes without CUDA's libraries unless it was installed with them. */
export async function canUseCuda(): Promise<boolean> {
  try {
    const ort = (await loadOnnxRuntime()) as unknown as { listSupportedBackends?: () => readonly { readonly name: string }[] };
    return ort.listSupportedBackends?.().some(({ name }) => name === "cuda") ?? false;
  } catch {
    return false;
  }
}
