/**
 * Multinomial logistic regression by stochastic descent over sets of features that count by how rare they are; the same rows give the
 * same weights. How rare a feature is, is folded into its weights: a reader adds them up and divides by the root of the number of features.
 */
import { SeededRandom } from "../../dist/evaluation/text/seeded-random.js";
import { frequentFeatures, shuffle } from "./training-rows.mjs";

const EPOCHS = 25;
const RATE = 0.3;
const DECAY = 1e-4;
const SCALE = 100;
const MIN_WEIGHT = 20;

/** @param rows - `{ features, weight }`; `labelOf(row)` undefined leaves a row out */
export function trainSoftmax({ id, rows: given, labelOf }) {
  const rows = given.filter((row) => labelOf(row) !== undefined);
  const labels = [...new Set(rows.map(labelOf))].sort();
  const count = labels.length;
  const features = rareFeatures(rows);
  const indexed = rows.map((row) => ({
    label: labels.indexOf(labelOf(row)),
    weight: row.weight,
    norm: 1 / Math.sqrt(row.features.length),
    known: row.features.filter((feature) => features.has(feature)).map((feature) => features.get(feature)),
  }));
  const weights = new Float64Array(features.size * count);
  const scores = new Float64Array(count);
  const random = new SeededRandom(3);
  const order = indexed.map((_, index) => index);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = RATE / (1 + epoch);
    shuffle(order, random);
    for (const index of order) {
      const row = indexed[index];
      score(row, weights, scores);
      const highest = scores.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
      let total = 0;
      for (let label = 0; label < count; label++) total += scores[label] = Math.exp(scores[label] - highest);
      for (let label = 0; label < count; label++) scores[label] = (scores[label] / total - (label === row.label ? 1 : 0)) * row.weight * row.norm;
      for (const { number, rarity } of row.known) {
        const from = number * count;
        for (let label = 0; label < count; label++) {
          weights[from + label] -= rate * (scores[label] * rarity + DECAY * weights[from + label]);
        }
      }
    }
  }
  return { id, version: 2, labels, scale: SCALE, weights: pairsOf(features, weights, count) };
}

function rareFeatures(rows) {
  return new Map([...frequentFeatures(rows)].map(([feature, times], number) => [feature, { number, rarity: 1 + Math.log((1 + rows.length) / (1 + times)) }]));
}

function score({ known, norm }, weights, scores) {
  const count = scores.length;
  scores.fill(0);
  for (const { number, rarity } of known) {
    const from = number * count;
    for (let label = 0; label < count; label++) scores[label] += weights[from + label] * rarity;
  }
  for (let label = 0; label < count; label++) scores[label] *= norm;
}

/** What a feature says to all labels alike decides nothing. */
function pairsOf(features, weights, count) {
  const pairs = {};
  for (const feature of [...features.keys()].sort()) {
    const { number, rarity } = features.get(feature);
    const own = weights.subarray(number * count, (number + 1) * count);
    const mean = own.reduce((sum, weight) => sum + weight, 0) / count;
    const kept = [...own].flatMap((weight, label) => {
      const whole = Math.round((weight - mean) * rarity * SCALE);
      return Math.abs(whole) >= MIN_WEIGHT ? [label, whole] : [];
    });
    if (kept.length > 0) pairs[feature] = kept;
  }
  return pairs;
}
