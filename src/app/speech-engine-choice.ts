/** The speech engine a person named must be there: found out at once, not at the first call. */
import { AppError } from "../core/errors.js";
import { isEngineNamed } from "../inference/model-engine.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";

/** @throws AppError `MODEL_ENGINE_UNKNOWN` naming the installed ones; `auto` is always fine */
export function refuseUnknownSpeechEngine(inference: InferenceRunner, engine: string): void {
  const installed = inference.engines().filter(({ modelTask }) => modelTask === "speech");
  if (engine === "auto" || installed.some((candidate) => isEngineNamed(candidate.engine, engine))) return;
  const names = installed.map((candidate) => candidate.engine).join(", ") || "none";
  throw new AppError("MODEL_ENGINE_UNKNOWN", `There is no speech engine with this name here (installed: ${names}); choose auto, or install it.`);
}
