/** Logistic regression by AdaGrad over sets of features, one label at a time; the same rows give the same weights. */
import { SeededRandom } from "../../dist/evaluation/text/seeded-random.js";
import { frequentFeatures, shuffle } from "./training-rows.mjs";

const EPOCHS = 8;
const RATE = 0.3;
const DECAY = 1e-4;
const SCALE = 100;
const MIN_WEIGHT = 20;

/** @param rows - `{ features: string[] }`; `isIn(row, label)` says whether a row has a label; `weightOf(row, label)` how much it counts, 0 leaves it out */
export function trainLogistic({ id, rows, labels, isIn, weightOf = () => 1 }) {
  const numbers = new Map([...frequentFeatures(rows).keys()].map((feature, number) => [feature, number]));
  // What a row looks like to the service: rare features weigh nothing, and count in its length.
  const indexed = rows.map(({ features }) => ({
    length: features.length,
    known: Uint32Array.from(
      features.filter((feature) => numbers.has(feature)),
      (feature) => numbers.get(feature),
    ),
  }));
  const columns = labels.map((label) => {
    const weights = new Float64Array(numbers.size);
    const gradients = new Float64Array(numbers.size);
    const random = new SeededRandom(3);
    const order = rows.map((_, index) => index).filter((index) => weightOf(rows[index], label) > 0);
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      shuffle(order, random);
      for (const index of order) {
        const { length, known: features } = indexed[index];
        const norm = 1 / Math.sqrt(length);
        let score = 0;
        for (const feature of features) score += weights[feature];
        const error = (1 / (1 + Math.exp(-score * norm)) - (isIn(rows[index], label) ? 1 : 0)) * weightOf(rows[index], label);
        for (const feature of features) {
          const gradient = error * norm + DECAY * weights[feature];
          gradients[feature] += gradient * gradient;
          weights[feature] -= (RATE * gradient) / Math.sqrt(gradients[feature] + 1e-8);
        }
      }
    }
    return weights;
  });
  const weights = {};
  for (const [feature, number] of [...numbers].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const pairs = columns.flatMap((column, label) => {
      const whole = Math.round(column[number] * SCALE);
      return Math.abs(whole) >= MIN_WEIGHT ? [label, whole] : [];
    });
    if (pairs.length > 0) weights[feature] = pairs;
  }
  return { id, version: 1, labels, scale: SCALE, weights };
}

/** A model as a file with a feature a line. */
export function modelText({ weights, ...head }) {
  const lines = Object.entries(weights).map(([feature, pairs]) => `${JSON.stringify(feature)}:${JSON.stringify(pairs)}`);
  return `${JSON.stringify(head).slice(0, -1)},"weights":{\n${lines.join(",\n")}\n}}\n`;
}
