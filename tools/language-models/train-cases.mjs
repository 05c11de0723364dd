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
import { caseFeatures, topicFeature } from "../../dist/inference/backends/builtin/classification/case-reader.js";
import { NO_TOPIC } from "../../dist/inference/backends/builtin/classification/topic-reader.js";
import { packModel } from "../../dist/inference/backends/builtin/linear/linear-weights.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { plainRecord, saidPlainly } from "./cue-records.mjs";
import { FOLDS, foldOf, labelledDialogues, labelledExcerpts, labelledStatements, oncePerFold, ROOT } from "./labelled-data.mjs";
import { modelText, trainLogistic } from "./logistic-training.mjs";
import { trainSoftmax } from "./softmax-training.mjs";
import { riskModelWithout } from "./train-risk.mjs";

const { signal } = new AbortController();
const { assets } = loadBuiltinAssets(`${ROOT}data`);
const MAIN_OF = new Map(assets.taxonomy.main_categories.flatMap(({ label, sub_categories: subs }) => subs.map((sub) => [sub, label])));
/** What a call or a statement weighs is 1. */
const CUE_WEIGHTS = { strong: 0.6, medium: 0.3, weak: 0.12 };

/** For how urgent it is: a part of a call says less of that than the whole. */
const EXCERPT_WEIGHT = 0.3;

function rowOf(classifier, record) {
  const call = classifier.readCall(record.segments, signal);
  const features = [...caseFeatures({ call, ruled: classifier.rule(call, signal), risks: classifier.risks(call, signal) })];
  return { features, answers: record.fields, weight: record.weight ?? 1 };
}

/** How long a call is says nothing of what it is about. */
function isTopicFeature(feature) {
  return !/^(?:caller|agent) words \d+$/.test(feature);
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
    ...en.map((text) => said(label, text, "en", 1)),
    ...sw.map((text) => said(label, text, "sw", 1)),
  ]);
  return [...cues, ...topics];
}

const FIELDS = { contactType: "contact_type", intervention: "intervention" };

/** What kind of contact a call is, and what was done. */
function trainKinds(calls) {
  const labels = Object.entries(FIELDS).flatMap(([question, field]) =>
    [...new Set(calls.map(({ answers }) => answers[field]).filter((label) => typeof label === "string"))].sort().map((label) => `${question}:${label}`),
  );
  const isIn = ({ answers }, label) => {
    const [question, wanted] = label.split(":");
    return answers[FIELDS[question]] === wanted;
  };
  return trainLogistic({ id: "kinds", rows: calls, labels, isIn });
}

/** Of a topic that nothing is known of, each priority is as likely. */
const UNKNOWN_TOPIC = 0.5;

/** How often what is about a topic has each priority, of all that was ever labelled. */
function topicPriorities({ labels, scale }, rows) {
  const counts = new Map([...MAIN_OF.keys(), NO_TOPIC].map((topic) => [topic, labels.map(() => UNKNOWN_TOPIC)]));
  for (const { answers } of rows) {
    const priority = labels.indexOf(answers.priority);
    if (priority >= 0) counts.get(answers.sub_category ?? NO_TOPIC)[priority]++;
  }
  const pairsOf = (given) => given.flatMap((count, at) => [at, Math.round((scale * count) / given.reduce((sum, each) => sum + each))]);
  return Object.fromEntries([...counts].map(([topic, given]) => [topicFeature(topic), pairsOf(given)]));
}

/** Models of different labels as one. */
function joinModels(id, models) {
  const weights = {};
  let before = 0;
  for (const model of models) {
    for (const [feature, pairs] of Object.entries(model.weights)) {
      weights[feature] ??= [];
      for (const [at, number] of pairs.entries()) weights[feature].push(at % 2 === 0 ? number + before : number);
    }
    before += model.labels.length;
  }
  return { id, version: 2, labels: models.flatMap(({ labels }) => labels), scale: models[0].scale, weights };
}

/** Both models of a case. */
export function trainCases(records, riskModel) {
  const classifier = new BuiltinCaseClassifier({ ...assets, riskModel }, "training");
  const bare = damageRecords(records, { isBare: true, wordErrorRate: 0 });
  const calls = [...records, ...bare].map((record) => rowOf(classifier, record));
  const cues = cueRecords().map((record) => rowOf(classifier, record));
  const excerpts = labelledExcerpts().map((record) => rowOf(classifier, record));
  const told = [...labelledStatements().map((record) => rowOf(classifier, record)), ...excerpts];
  // Words that are rare tell how urgent a call is; how it was greeted and what was done are said in common ones.
  const priorityModel = trainSoftmax({
    id: "priority",
    rows: [...calls, ...excerpts.map((row) => ({ ...row, weight: EXCERPT_WEIGHT }))],
    labelOf: ({ answers }) => answers.priority ?? undefined,
  });
  Object.assign(priorityModel.weights, topicPriorities(priorityModel, [...calls, ...told]));
  const caseModel = joinModels("case", [trainKinds(calls), { ...priorityModel, labels: priorityModel.labels.map((label) => `priority:${label}`) }]);
  const topicModel = trainSoftmax({
    id: "topics",
    rows: [...calls, ...cues, ...told].map((row) => ({ ...row, features: row.features.filter(isTopicFeature) })),
    labelOf: ({ answers }) => answers.sub_category ?? NO_TOPIC,
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
