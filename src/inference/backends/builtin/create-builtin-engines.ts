/** Creates the builtin engines: rules over data files that a helpline can read and change; no download, no network. */
import type { ModelEngine } from "../../model-engine.js";
import { BuiltinQuestionAnswerer } from "./builtin-question-answerer.js";
import { BuiltinSummarizer } from "./builtin-summarizer.js";
import { BuiltinCaseClassifier } from "./classification/builtin-case-classifier.js";
import { BuiltinRiskDetector } from "./classification/builtin-risk-detector.js";
import { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import { type AssetName, loadBuiltinAssets } from "./load-builtin-assets.js";
import { BuiltinQualityAssessor } from "./quality/builtin-quality-assessor.js";

export interface BuiltinEngineOptions {
  /** The `data/` folder. */
  readonly assetsDirectory: string;
}

export type BuiltinEngine =
  | ModelEngine<"entities">
  | ModelEngine<"classification">
  | ModelEngine<"risk">
  | ModelEngine<"summary">
  | ModelEngine<"quality">
  | ModelEngine<"question_answering">;

const READING: readonly AssetName[] = ["scopes", "numbers"];
const ENTITIES: readonly AssetName[] = [...READING, "people", "incidents", "times", "landmarks", "places", "names", "entityTagger"];

/**
 * Reads the data files once and creates one engine per language task.
 *
 * @throws AppError `CONFIG_INVALID` when a data file is missing or breaks a rule.
 */
export function createBuiltinEngines({ assetsDirectory }: BuiltinEngineOptions): readonly BuiltinEngine[] {
  const { assets, revisionOf } = loadBuiltinAssets(assetsDirectory);
  const classification: readonly AssetName[] = [
    ...READING,
    "taxonomy",
    "categories",
    "contactTypes",
    "interventions",
    "priorities",
    "risks",
    "riskModel",
    "caseModel",
  ];
  const entities = new BuiltinEntityRecognizer(assets, revisionOf(ENTITIES));
  return [
    entities,
    new BuiltinCaseClassifier(assets, revisionOf(classification)),
    new BuiltinRiskDetector(assets, revisionOf([...READING, "risks", "riskModel"])),
    new BuiltinSummarizer(assets, entities, revisionOf([...ENTITIES, "categories", "risks", "interventions"])),
    new BuiltinQualityAssessor(assets, revisionOf([...READING, "rubric"])),
    new BuiltinQuestionAnswerer(assets, entities, revisionOf([...ENTITIES, "questions"])),
  ];
}
