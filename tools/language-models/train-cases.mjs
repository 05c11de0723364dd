/**
 * Trains the case model on the labelled calls and, as far as words go, on the lexicon's cue phrases.
 *
 *     npm run build && node tools/language-models/train-cases.mjs [--write]
 */
import { writeFileSync } from "node:fs";
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { BuiltinCaseClassifier } from "../../dist/inference/backends/builtin/classification/builtin-case-classifier.js";
import { caseFeatures, QUESTIONS } from "../../dist/inference/backends/builtin/classification/case-reader.js";
import { NO_TOPIC } from "../../dist/inference/backends/builtin/classification/topic-reader.js";
import { packModel } from "../../dist/inference/backends/builtin/linear/linear-weights.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { trainComplementBayes } from "./complement-bayes.mjs";
import { plainRecord, saidPlainly } from "./cue-records.mjs";
import { FOLDS, foldOf, labelledDialogues, oncePerFold, ROOT } from "./labelled-data.mjs";
import { modelText, trainLogistic } from "./logistic-training.mjs";
import { riskModelWithout } from "./train-risk.mjs";

const { signal } = new AbortController();
const { assets } = loadBuiltinAssets(`${ROOT}data`);
const FIELDS = { contactType: "contact_type", intervention: "intervention", priority: "priority" };
const MAIN_OF = new Map(assets.taxonomy.main_categories.flatMap(({ label, sub_categories: subs }) => subs.map((sub) => [sub, label])));
/** Against a call: a cue is a few words and there are many of them. */
const CUE_WEIGHTS = { strong: 3, medium: 1.5, weak: 0.6 };
const TOPIC_WEIGHT = 3;

function rowOf(classifier, record) {
  const call = classifier.readCall(record.segments, signal);
  const features = [...caseFeatures({ call, ruled: classifier.rule(call, signal), risks: classifier.risks(call, signal) })];
  return { features, answers: record.fields, weight: record.weight ?? 1 };
}

/** Words by speaker, and what rules made of them; pairs of words would only make the topic models larger. */
function isTopicFeature(feature) {
  return /^(?:caller|agent) (?:not )?[^ ]+$/.test(feature) || feature.startsWith("rule ") || feature.startsWith("risk ");
}

function cueRecords() {
  const said = (label, text, language, weight) => ({ ...plainRecord(text, language, { main_category: MAIN_OF.get(label), sub_category: label }), weight });
  const cues = assets.categories.categories.flatMap(({ label, cues: byLanguage }) =>
    Object.entries(byLanguage).flatMap(([language, strengths]) =>
      Object.entries(strengths).flatMap(([strength, phrases]) =>
        phrases.flatMap(saidPlainly).map((text) => said(label, text, language, CUE_WEIGHTS[strength])),
      ),
    ),
  );
  const topics = assets.topics.topics.flatMap(({ label, en, sw }) => [
    ...en.map((text) => said(label, text, "en", TOPIC_WEIGHT)),
    ...sw.map((text) => said(label, text, "sw", TOPIC_WEIGHT)),
  ]);
  return [...cues, ...topics];
}

/** Both models of a case. */
export function trainCases(records, riskModel) {
  const classifier = new BuiltinCaseClassifier({ ...assets, riskModel }, "training");
  const bare = damageRecords(records, { isBare: true, wordErrorRate: 0 });
  const calls = [...records, ...bare].map((record) => rowOf(classifier, record));
  const cues = cueRecords().map((record) => rowOf(classifier, record));
  const labels = QUESTIONS.flatMap((question) =>
    [...new Set(calls.map(({ answers }) => answers[FIELDS[question]]).filter((label) => typeof label === "string"))]
      .sort()
      .map((label) => `${question}:${label}`),
  );
  const split = (label) => [FIELDS[label.slice(0, label.indexOf(":"))], label.slice(label.indexOf(":") + 1)];
  const caseModel = trainLogistic({
    id: "case",
    rows: calls,
    labels,
    isIn: ({ answers }, label) => {
      const [field, wanted] = split(label);
      return answers[field] === wanted;
    },
  });
  const topicModel = trainComplementBayes({
    id: "topics",
    rows: [...calls, ...cues].map((row) => ({ ...row, features: row.features.filter(isTopicFeature) })),
    groups: [({ answers }) => answers.sub_category ?? NO_TOPIC, ({ answers }) => `main:${answers.main_category ?? NO_TOPIC}`],
  });
  return { caseModel, topicModel };
}

const caseModelsWithout = oncePerFold((fold) =>
  trainCases(
    labelledDialogues().filter((record) => foldOf(record) !== fold),
    packModel(riskModelWithout(fold)),
  ),
);

/** Out-of-fold answers of every call. */
export async function crossValidateCases({ damage } = {}) {
  const records = labelledDialogues();
  const heard = damage === undefined ? records : damageRecords(records, damage);
  const task = prepareEvaluation("classification", heard);
  const scores = [];
  for (let fold = 0; fold < FOLDS; fold++) {
    const { caseModel, topicModel } = caseModelsWithout(fold);
    const engine = new BuiltinCaseClassifier(
      { ...assets, riskModel: packModel(riskModelWithout(fold)), caseModel: packModel(caseModel), topicModel: packModel(topicModel) },
      "fold",
    );
    for (const record of heard.filter((one) => foldOf(one) === fold))
      scores.push(task.score(record, [await engine.run({ segments: record.segments }, { signal })]));
  }
  return makeScoreSheet(scores, task.measuresOf);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes("--write")) {
    const { caseModel, topicModel } = trainCases(labelledDialogues(), assets.riskModel);
    writeFileSync(`${ROOT}data/models/case.json`, modelText(caseModel));
    writeFileSync(`${ROOT}data/models/topics.json`, modelText(topicModel));
    console.log(`${Object.keys(caseModel.weights).length} and ${Object.keys(topicModel.weights).length} features`);
  } else {
    const sheet = await crossValidateCases();
    for (const { name, value, cases } of sheet.measures) if (cases > 0) console.log(name.padEnd(38), value?.toFixed(3), cases);
    console.log(sheet.confusions);
  }
}
