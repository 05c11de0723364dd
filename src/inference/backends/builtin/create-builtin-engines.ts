/** Creates the builtin engines: rules over data files that a helpline can read and change; no download, no network. */
import type { ModelEngine } from "../../model-engine.js";
import { describeBuiltin } from "./builtin-engine.js";
import { BuiltinQuestionAnswerer } from "./builtin-question-answerer.js";
import { BuiltinCaseClassifier } from "./classification/builtin-case-classifier.js";
import { BuiltinRiskDetector } from "./classification/builtin-risk-detector.js";
import type { HelplineLabels } from "./classification/helpline-labels.js";
import { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import { CaseFacts } from "./facts/case-facts.js";
import { BuiltinLanguageIdentifier } from "./language/builtin-language-identifier.js";
import { type AssetName, type AssetRevisions, digestBuiltinAssets, loadBuiltinAssets, loadSomeAssets } from "./load-builtin-assets.js";
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
const CASE: readonly AssetName[] = ["taxonomy", "categories", "contactTypes", "interventions", "priorities", "risks", "riskModel", "caseModel", "topicModel"];
/** What each engine's results depend on. */
const FILES_OF = {
  language: ["languages", "names", "places"],
  entities: ENTITIES,
  classification: [...READING, ...CASE],
  risk: [...READING, "risks", "riskModel"],
  summary: [...ENTITIES, ...FACTS, "summary"],
  quality: [...READING, "rubric"],
  question_answering: [...ENTITIES, "questions", ...FACTS],
} as const satisfies Readonly<Record<BuiltinEngine["description"]["modelTask"], readonly AssetName[]>>;
type BuiltinTask = keyof typeof FILES_OF;

/**
 * Reads the data files once and creates one engine per language task.
 *
 * @throws AppError `CONFIG_INVALID` when a data file is missing or breaks a rule.
 */
export function createBuiltinEngines({ assetsDirectory, labels }: BuiltinEngineOptions): readonly BuiltinEngine[] {
  const { assets, revisionOf } = loadBuiltinAssets(assetsDirectory);
  const revision = revisionsOf(revisionOf, labels);
  const facts = new CaseFacts(assets, new ScopeReader(assets.scopes));
  const recognizer = new BuiltinEntityRecognizer(assets, revision("entities"));
  return [
    new BuiltinLanguageIdentifier(assets, revision("language")),
    recognizer,
    new BuiltinCaseClassifier(assets, revision("classification"), labels),
    new BuiltinRiskDetector(assets, revision("risk")),
    new BuiltinSummarizer(assets, { recognizer, facts }, revision("summary")),
    new BuiltinQualityAssessor(assets, revision("quality")),
    new BuiltinQuestionAnswerer(assets, { recognizer, facts }, revision("question_answering")),
  ];
}

/**
 * The same engines, whose data files are read when the first of them is asked: for processes that hardly ever are.
 *
 * @throws AppError `CONFIG_INVALID` when a data file is missing; a file that breaks a rule is told of by `run`.
 */
export function createLazyBuiltinEngines(options: BuiltinEngineOptions): readonly BuiltinEngine[] {
  const { assetsDirectory } = options;
  const revision = revisionsOf(digestBuiltinAssets(assetsDirectory).revisionOf, options.labels);
  const told = Object.keys(loadSomeAssets(assetsDirectory, ["languages"]).assets.languages.languages);
  let engines: readonly ModelEngine[] | undefined;
  return (Object.keys(FILES_OF) as BuiltinTask[]).map((task) => {
    const engine: ModelEngine = {
      description: describeBuiltin(task, revision(task), task === "language" ? told : undefined),
      async run(input, context) {
        engines ??= createBuiltinEngines(options) as readonly ModelEngine[];
        const own = engines.find(({ description }) => description.modelTask === task);
        if (own === undefined) throw new RangeError("an engine for every task was expected");
        return own.run(input, context);
      },
    };
    return engine as BuiltinEngine;
  });
}

function revisionsOf(revisionOf: AssetRevisions["revisionOf"], labels: HelplineLabels | undefined): (task: BuiltinTask) => string {
  return (task) => revisionOf(FILES_OF[task], task === "classification" ? labels?.revision : undefined);
}
