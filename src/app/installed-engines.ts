/** Engines on the models that a person has installed, newest first. */

import { AppError } from "../core/errors.js";
import type { TranscriptSegment } from "../core/transcript.js";
import { createModelTranslator } from "../inference/backends/seq2seq/model-translator.js";
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

const TRIAL_TEXT: TranscriptSegment = { id: "s1", channel: "mixed", startMs: 0, endMs: 1_000, text: "Habari.", language: "sw", score: null };
const TRIAL_SAMPLES = 16_000;

/** Runs a model once on next to nothing, so that one that can't run here is not installed. @throws AppError why it can't */
export async function tryModel(model: InstalledModel): Promise<void> {
  const engine = await createInstalledEngine(model, { threads: 1, whisperWindowMargin: 0 });
  const { modelTask, capabilities } = engine.description;
  const [language = "en"] = capabilities.languages;
  const signal = new AbortController().signal;
  const audio = { samples: new Int16Array(TRIAL_SAMPLES), sampleRateHz: 16_000, sourceSampleRateHz: 16_000, sampleCount: TRIAL_SAMPLES };
  try {
    if (modelTask === "speech") await engine.run({ audio, utterances: [{ startMs: 0, endMs: 1_000 }], language, allowedLanguages: [language] }, { signal });
    else if (modelTask === "entities") await engine.run({ segments: [TRIAL_TEXT] }, { signal });
    else if (modelTask === "translation") await tryTranslation(engine as ModelEngine<"translation">, signal);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("MODEL_FILES_INVALID", "The model was read and can't be run on this machine: its graphs do not fit its settings.");
  } finally {
    await engine.close?.();
  }
}

/** From a language it knows to another it knows; a model of one direction has one to take from only. */
async function tryTranslation(engine: ModelEngine<"translation">, signal: AbortSignal): Promise<void> {
  const [source = "sw", target] = engine.description.capabilities.languages;
  const run = (targetLanguage: string): Promise<unknown> => engine.run({ segments: [{ ...TRIAL_TEXT, language: source }], targetLanguage }, { signal });
  if (target !== undefined) await run(target);
  else await run(source === "en" ? "sw" : "en").catch(ignoreOtherDirection);
}

function ignoreOtherDirection(error: unknown): void {
  if (!(error instanceof AppError && error.code === "MODEL_NOT_READY")) throw error;
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
    case "seq2seq":
      return (await createModelTranslator(options)) as ModelEngine;
    case "token-classification":
      return (await createTokenClassifier(options)) as ModelEngine;
  }
}
