/** Engines on the models that a person has installed, newest first. */

import { AppError } from "../core/errors.js";
import type { ModelRoom } from "../inference/backends/onnx/model-room.js";
import type { ComputeDevice } from "../inference/backends/onnx/onnx-runtime.js";
import { createExtractiveAnswerer } from "../inference/backends/question-answering/extractive-answerer.js";
import { createModelSummarizer } from "../inference/backends/seq2seq/model-summarizer.js";
import { createModelTranslator } from "../inference/backends/seq2seq/model-translator.js";
import type { CaseTaxonomy } from "../inference/backends/text-classification/case-decision.js";
import { readHeadsSettings } from "../inference/backends/text-classification/head-settings.js";
import { createCaseClassifier } from "../inference/backends/text-classification/model-case-classifier.js";
import { createModelQualityAssessor } from "../inference/backends/text-classification/model-quality-assessor.js";
import { createZeroShotClassifier, inferenceLabels } from "../inference/backends/text-classification/zero-shot-classifier.js";
import { createTokenClassifier, readLabels } from "../inference/backends/token-classification/token-classifier.js";
import { createWhisperRecognizer, type WhisperRecognizerOptions } from "../inference/backends/whisper/whisper-recognizer.js";
import type { ModelEngine } from "../inference/model-engine.js";
import { DTYPE_SUFFIXES } from "../inference/store/model-manifest.js";
import { type InstalledModel, openModelStore } from "../inference/store/model-store.js";

export interface InstalledEngineOptions {
  readonly threads: number;
  readonly device?: ComputeDevice;
  readonly whisper: Pick<WhisperRecognizerOptions, "windowMargin" | "glossary" | "withPreviousText">;
  /** Which loaded models share; absent: there is room for all. */
  readonly room?: ModelRoom;
  /** Labels in force. */
  readonly taxonomy: CaseTaxonomy;
  /** The builtin engines: they say what a model does not. */
  readonly rules: readonly ModelEngine[];
}

/** A model whose files can't be read is left out; `openchs-ai doctor` names it. */
export async function createInstalledEngines(modelsDirectory: string, options: InstalledEngineOptions): Promise<readonly ModelEngine[]> {
  const models = await openModelStore(modelsDirectory).list();
  const engines = await Promise.all(models.map((model) => createInstalledEngine(model, options).catch(() => undefined)));
  return engines.flatMap((engine) => engine ?? []);
}

/** Reads the model's settings, not its weights. @throws AppError `MODEL_FILES_INVALID` */
export async function createInstalledEngine(model: InstalledModel, options: InstalledEngineOptions): Promise<ModelEngine> {
  const { threads, whisper } = options;
  const { id, directory, revision, dtype, instruction, languages = ["*"] } = model;
  const weightBytes = model.files.reduce((sum, { path, sizeBytes }) => sum + (path.startsWith("onnx/") ? sizeBytes : 0), 0);
  const kept = options.room === undefined ? {} : { kept: { room: options.room, weightBytes } };
  const device = options.device === undefined ? {} : { device: options.device };
  const files = { id, directory, revision, suffix: DTYPE_SUFFIXES[dtype], threads, ...device, ...kept };
  const read = { ...files, languages };
  switch (model.engine) {
    case "whisper":
      return (await createWhisperRecognizer({ ...files, ...whisper })) as ModelEngine;
    case "seq2seq":
      if (model.task === "summary") return (await createModelSummarizer({ ...read, ...(instruction === undefined ? {} : { instruction }) })) as ModelEngine;
      return (await createModelTranslator(files)) as ModelEngine;
    case "token-classification":
      return (await createTokenClassifier(read)) as ModelEngine;
    case "question-answering":
      return (await createExtractiveAnswerer(read)) as ModelEngine;
    case "zero-shot":
      return createZeroShot(read, options);
    case "text-classification":
      return createHeads(read, options);
  }
}

type ReadOptions = Parameters<typeof createTokenClassifier>[0];

async function createZeroShot(read: ReadOptions, { taxonomy, rules }: InstalledEngineOptions): Promise<ModelEngine> {
  const labels = inferenceLabels(await readLabels(read.directory));
  if (labels === undefined)
    throw new AppError("MODEL_FILES_INVALID", "The model's config.json does not say which of its labels is entailment and which contradiction.");
  return (await createZeroShotClassifier({ ...read, taxonomy, rules: ruleFor(rules, "classification") }, labels)) as ModelEngine;
}

async function createHeads(read: ReadOptions, { taxonomy, rules }: InstalledEngineOptions): Promise<ModelEngine> {
  const settings = await readHeadsSettings(read.directory);
  if (settings === undefined) throw new AppError("MODEL_FILES_INVALID", "The model has no heads.json and no label files; import it again from a whole copy.");
  if (settings.task === "quality") return (await createModelQualityAssessor({ ...read, rules: ruleFor(rules, "quality") }, settings)) as ModelEngine;
  return (await createCaseClassifier({ ...read, taxonomy, rules: ruleFor(rules, "classification") }, settings)) as ModelEngine;
}

function ruleFor<Task extends "classification" | "quality">(rules: readonly ModelEngine[], task: Task): ModelEngine<Task> {
  const engine = rules.find(({ description }) => description.modelTask === task);
  if (engine === undefined) throw new RangeError(`there is no builtin engine for ${task}`);
  return engine as ModelEngine<Task>;
}
