/** Creates the builtin engines: rules over data files that a helpline can read and change; no download, no network. */
import type { ModelEngine } from "../../model-engine.js";
import { BuiltinQuestionAnswerer } from "./builtin-question-answerer.js";
import { BuiltinCaseClassifier } from "./classification/builtin-case-classifier.js";
import { BuiltinRiskDetector } from "./classification/builtin-risk-detector.js";
import type { HelplineLabels } from "./classification/helpline-labels.js";
import { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import { CaseFacts } from "./facts/case-facts.js";
import { BuiltinLanguageIdentifier } from "./language/builtin-language-identifier.js";
import { type AssetName, loadBuiltinAssets } from "./load-builtin-assets.js";
import { BuiltinQualityAssessor } from "./quality/builtin-quality-assessor.js";
import { BuiltinSummarizer } from "./summary/builtin-summarizer.js";
import { ScopeReader } from "./text/scope-reader.js";

export interface BuiltinEngineOptions {
  /** The `data/` folder. */
  readonly assetsDirectory: string;
  /** A helpline's own labels in place of the builtin ones. */
  readonly labels?: HelplineLabels | undefined;
}

export type BuiltinEngine =
  | ModelEngine<"language">
  | ModelEngine<"entities">
  | ModelEngine<"classification">
  | ModelEngine<"risk">
  | ModelEngine<"summary">
  | ModelEngine<"quality">
  | ModelEngine<"question_answering">;

const READING: readonly AssetName[] = ["scopes", "numbers"];
const ENTITIES: readonly AssetName[] = [...READING, "people", "incidents", "times", "landmarks", "places", "names", "entityTagger"];
const FACTS: readonly AssetName[] = ["facts", "categories", "risks", "interventions"];

/**
 * Reads the data files once and creates one engine per language task.
 *
 * @throws AppError `CONFIG_INVALID` when a data file is missing or breaks a rule.
 */
export function createBuiltinEngines({ assetsDirectory, labels }: BuiltinEngineOptions): readonly BuiltinEngine[] {
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
    "topicModel",
  ];
  const facts = new CaseFacts(assets, new ScopeReader(assets.scopes));
  const entities = new BuiltinEntityRecognizer(assets, revisionOf(ENTITIES));
  return [
    new BuiltinLanguageIdentifier(assets, revisionOf(["languages", "names", "places"])),
    entities,
    new BuiltinCaseClassifier(assets, revisionOf(classification, labels?.revision), labels),
    new BuiltinRiskDetector(assets, revisionOf([...READING, "risks", "riskModel"])),
    new BuiltinSummarizer(assets, { recognizer: entities, facts }, revisionOf([...ENTITIES, ...FACTS, "summary"])),
    new BuiltinQualityAssessor(assets, revisionOf([...READING, "rubric"])),
    new BuiltinQuestionAnswerer(assets, { recognizer: entities, facts }, revisionOf([...ENTITIES, "questions", ...FACTS])),
  ];
}
