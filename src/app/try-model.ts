/** Runs a model once on next to nothing, so that one that can't run here is not installed. */
import { AppError } from "../core/errors.js";
import type { ModelTask } from "../core/model-task.js";
import type { TranscriptSegment } from "../core/transcript.js";
import { createBuiltinEngines } from "../inference/backends/builtin/create-builtin-engines.js";
import { loadOnnxRuntime } from "../inference/backends/onnx/onnx-runtime.js";
import type { ModelEngine, TaskInputs } from "../inference/model-engine.js";
import type { InstalledModel } from "../inference/store/model-store.js";
import { loadTaxonomy } from "./casework/taxonomy.js";
import { createInstalledEngine } from "./installed-engines.js";
import { packageAssets } from "./paths.js";

const TRIAL_SAMPLES = 16_000;
const TRIAL_AUDIO = { samples: new Int16Array(TRIAL_SAMPLES), sampleRateHz: 16_000, sourceSampleRateHz: 16_000, sampleCount: TRIAL_SAMPLES };

/** @throws AppError why it can't */
export async function tryModel(model: InstalledModel): Promise<void> {
  const rules = createBuiltinEngines({ assetsDirectory: packageAssets().languageData }) as readonly ModelEngine[];
  const engine = await createInstalledEngine(model, { threads: 1, whisper: { windowMargin: 0 }, taxonomy: await loadTaxonomy(), rules });
  const [language = "en", target] = engine.description.capabilities.languages.filter((tag) => tag !== "*");
  const { signal } = new AbortController();
  await loadOnnxRuntime();
  const run = (targetLanguage: string): Promise<unknown> =>
    engine.run(trialInput(engine.description.modelTask, language, targetLanguage), { signal }).catch(ignoreRefusal);
  try {
    // A model of one direction has one language to take from; it may be asked for the other of the two most used.
    await run(target ?? (language === "en" ? "sw" : "en"));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("MODEL_FILES_INVALID", "The model was read and can't be run on this machine: its graphs do not fit its settings.");
  } finally {
    await engine.close?.();
  }
}

function trialInput(modelTask: ModelTask, language: string, targetLanguage: string): TaskInputs[ModelTask] {
  const segment: TranscriptSegment = { id: "s1", channel: "mixed", startMs: 0, endMs: 1_000, text: "Habari. Help me.", language, score: null };
  if (modelTask === "speech") return { audio: TRIAL_AUDIO, utterances: [{ startMs: 0, endMs: 1_000 }], language, allowedLanguages: [language] };
  if (modelTask === "translation") return { segments: [segment], targetLanguage };
  if (modelTask === "question_answering") return { segments: [segment], question: "Who?" };
  return { segments: [segment] };
}

/** It ran, and had nothing to say of this text: a direction it does not do, a summary of one word. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof AppError && error.code === "MODEL_NOT_READY")) throw error;
}
