/** Engines on the models that a person has installed, newest first. */
import { createTokenClassifier } from "../inference/backends/token-classification/token-classifier.js";
import { createWhisperRecognizer } from "../inference/backends/whisper/whisper-recognizer.js";
import type { ModelEngine } from "../inference/model-engine.js";
import { DTYPE_SUFFIXES } from "../inference/store/model-manifest.js";
import { type InstalledModel, openModelStore } from "../inference/store/model-store.js";

export interface InstalledEnginesOptions {
  readonly modelsDirectory: string;
  readonly threads: number;
  readonly whisperWindowMargin: number;
}

/** A model whose files can't be read is left out; `openchs-ai doctor` names it. */
export async function createInstalledEngines({ modelsDirectory, ...options }: InstalledEnginesOptions): Promise<readonly ModelEngine[]> {
  const models = await openModelStore(modelsDirectory).list();
  const engines = await Promise.all(models.map((model) => createInstalledEngine(model, options).catch(() => undefined)));
  return engines.flatMap((engine) => engine ?? []);
}

/** Reads the model's settings, not its weights. @throws AppError `MODEL_FILES_INVALID` */
async function createInstalledEngine(
  { id, directory, revision, engine, dtype }: InstalledModel,
  { threads, whisperWindowMargin }: Omit<InstalledEnginesOptions, "modelsDirectory">,
): Promise<ModelEngine> {
  const options = { id, directory, revision, suffix: DTYPE_SUFFIXES[dtype], threads };
  switch (engine) {
    case "whisper":
      return (await createWhisperRecognizer({ ...options, windowMargin: whisperWindowMargin })) as ModelEngine;
    case "token-classification":
      return (await createTokenClassifier(options)) as ModelEngine;
  }
}
