/**
 * Trains the entity tagger on data/labelled: an averaged perceptron over the features of `tag-features.ts`.
 *
 *     npm run build && node tools/language-models/train-entities.mjs           # five folds, prints what they measure
 *     node tools/language-models/train-entities.mjs --write                    # on all of it, into data/models
 *
 * The same data give the same weights.
 */
import { writeFileSync } from "node:fs";
import { ENTITY_LABELS } from "../../dist/core/entity.js";
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { engineLabel } from "../../dist/evaluation/scorers/entity-scores.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { SeededRandom } from "../../dist/evaluation/text/seeded-random.js";
import { BuiltinEntityRecognizer } from "../../dist/inference/backends/builtin/entities/builtin-entity-recognizer.js";
import { canFollow, OUTSIDE, walkTags } from "../../dist/inference/backends/builtin/entities/entity-tagger.js";
import { packModel } from "../../dist/inference/backends/builtin/linear/linear-weights.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { FOLDS, foldOf, labelledDialogues, labelledExcerpts, oncePerFold, ROOT } from "./labelled-data.mjs";
import { modelText } from "./logistic-training.mjs";
import { shuffle } from "./training-rows.mjs";

const EPOCHS = 8;
const SCALE = 100;
/** Share of the features of a word that are left out, another each time. */
const DROPPED_FEATURES = 0.3;
/** In corrections of one feature. */
const MARGIN = 30;
const TAGS = [OUTSIDE, ...ENTITY_LABELS.filter((label) => label !== "GENDER").flatMap((label) => [`B-${label}`, `I-${label}`])];
const { signal } = new AbortController();
const { assets } = loadBuiltinAssets(`${ROOT}data`);

/** A call ready to learn from: its reading, the rules' candidates, the tag of every word. */
function prepare(recognizer, record) {
  const call = recognizer.read(record.segments, signal);
  const tags = call.map(({ tokens }) => tokens.map(() => OUTSIDE));
  for (const { segmentId, startOffset, endOffset, label } of record.marks) {
    const known = engineLabel(label);
    if (!TAGS.includes(`B-${known}`)) continue;
    const index = record.segments.findIndex(({ id }) => id === segmentId);
    let isFirst = true;
    for (const [at, token] of call[index].tokens.entries()) {
      if (token.startOffset >= endOffset || token.endOffset <= startOffset) continue;
      tags[index][at] = `${isFirst ? "B" : "I"}-${known}`;
      isFirst = false;
    }
  }
  return { call, candidates: recognizer.candidates(call, signal), tags };
}

/** All turns as one segment of nobody in particular. */
function asOneText(record) {
  let text = "";
  const marks = [];
  for (const segment of record.segments) {
    const shift = text === "" ? 0 : text.length + 1;
    text += `${text === "" ? "" : " "}${segment.text}`;
    for (const mark of record.marks) {
      if (mark.segmentId === segment.id) marks.push({ ...mark, segmentId: "s1", startOffset: mark.startOffset + shift, endOffset: mark.endOffset + shift });
    }
  }
  return { ...record, segments: [{ ...record.segments[0], id: "s1", channel: "mixed", text }], marks };
}

export function trainTagger(records) {
  const recognizer = new BuiltinEntityRecognizer(assets, "training");
  const bare = damageRecords(records, { isBare: true, wordErrorRate: 0 });
  // As the service hears them, without capitals, and as one text without speakers.
  const calls = [...records, ...bare, ...records.map(asOneText)].map((record) => prepare(recognizer, record));
  const random = new SeededRandom(11);
  const weights = new Map();
  let step = 0;
  const update = (feature, tag, by) => {
    const row = weights.get(feature) ?? { now: new Float64Array(TAGS.length), sum: new Float64Array(TAGS.length), at: new Int32Array(TAGS.length) };
    weights.set(feature, row);
    row.sum[tag] += (step - row.at[tag]) * row.now[tag];
    row.at[tag] = step;
    row.now[tag] += by;
  };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    shuffle(calls, random);
    for (const { call, candidates, tags } of calls) {
      walkTags(
        { call, candidates },
        (features, { segmentIndex, at }, previous) => {
          step += 1;
          // Now and then without some of what it sees: it must not lean on one word.
          const seen = features.filter(() => random.next() >= DROPPED_FEATURES);
          const scores = new Float64Array(TAGS.length);
          for (const feature of seen) {
            const row = weights.get(feature);
            if (row !== undefined) for (let tag = 0; tag < TAGS.length; tag++) scores[tag] += row.now[tag];
          }
          const wanted = TAGS.indexOf(tags[segmentIndex][at]);
          // The best of the others; what is right must be clearly better.
          let rival = wanted === 0 ? 1 : 0;
          for (let tag = 0; tag < TAGS.length; tag++) if (tag !== wanted && canFollow(TAGS[tag], previous) && scores[tag] > scores[rival]) rival = tag;
          if (scores[wanted] - scores[rival] < MARGIN) {
            for (const feature of seen) {
              update(feature, wanted, 1);
              update(feature, rival, -1);
            }
          }
          const best = scores[wanted] >= scores[rival] && canFollow(TAGS[wanted], previous) ? wanted : rival;
          // Half of the time it sees its own past, as it will later; else it would never learn to mend it.
          return { tag: random.next() < 0.5 ? TAGS[best] : TAGS[wanted], share: 1 };
        },
        signal,
      );
    }
  }
  const kept = {};
  for (const [feature, row] of [...weights].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const pairs = [];
    for (let tag = 0; tag < TAGS.length; tag++) {
      const mean = Math.round((SCALE * (row.sum[tag] + (step - row.at[tag]) * row.now[tag])) / step);
      if (Math.abs(mean) >= MIN_WEIGHT) pairs.push(tag, mean);
    }
    if (pairs.some((weight, at) => at % 2 === 1 && Math.abs(weight) >= MIN_SAY)) kept[feature] = pairs;
  }
  return { id: "entity-tagger", version: 1, labels: TAGS, scale: SCALE, weights: kept };
}
const MIN_WEIGHT = 60;
/** What was corrected by hardly ever says little of other calls: without it the model is smaller by more than half, and no worse. */
const MIN_SAY = 300;

const taggerWithout = oncePerFold((fold) => trainTagger([...labelledDialogues().filter((record) => foldOf(record) !== fold), ...labelledExcerpts()]));

/** An engine that has not seen the calls of a fold. */
export const recognizerWithout = oncePerFold((fold) => new BuiltinEntityRecognizer({ ...assets, entityTagger: packModel(taggerWithout(fold)) }, "fold"));

/** Out-of-fold answers of every call. */
export async function crossValidateEntities({ damage } = {}) {
  const records = labelledDialogues();
  const scores = [];
  const heard = damage === undefined ? records : damageRecords(records, damage);
  const task = prepareEvaluation("entities", heard);
  for (let fold = 0; fold < FOLDS; fold++) {
    const engine = recognizerWithout(fold);
    for (const record of heard.filter((one) => foldOf(one) === fold))
      scores.push(task.score(record, [await engine.run({ segments: record.segments }, { signal })]));
  }
  return makeScoreSheet(scores, task.measuresOf);
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes("--write")) {
    const path = `${ROOT}data/models/entity-tagger.json`;
    const model = trainTagger([...labelledDialogues(), ...labelledExcerpts()]);
    writeFileSync(path, modelText(model));
    console.log(`${Object.keys(model.weights).length} features`);
  } else {
    for (const { name, value, cases } of (await crossValidateEntities()).measures)
      if (/ distinct| strict F1/.test(name)) console.log(name.padEnd(34), value?.toFixed(3), cases);
  }
}
