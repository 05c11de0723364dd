/**
 * Linear models as plain data: for each feature that matters its weight for each label it speaks for. Trained by
 * `tools/language-models` on `data/labelled`, five folds, whole numbers so that a diff can be read.
 */
import { z } from "zod";

/** Feature: pairs of label number and weight. */
type Weights = Readonly<Record<string, readonly number[]>>;

const head = z.strictObject({
  id: z.string().min(1),
  version: z.int().min(1),
  /** Labels by number. */
  labels: z.array(z.string()).min(1).max(256),
  /** What whole numbers are divided by. */
  scale: z.number().positive(),
  // Looked through by hand: there are a million numbers, and every model process reads them when it starts.
  weights: z.custom<Weights>(isWeights, "must be lists of pairs of whole numbers by feature: a label's, and a weight under 8,388,608"),
});

function isWeights(value: unknown): value is Weights {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const pairs of Object.values(value)) {
    if (!Array.isArray(pairs) || pairs.length % 2 !== 0) return false;
    for (let at = 0; at < pairs.length; at += 2) if (!isPair(pairs[at], pairs[at + 1])) return false;
  }
  return true;
}

/** Room for a label's number beside its weight. */
const LABELS = 256;
const LABEL_BITS = LABELS - 1;
const WEIGHT_SHIFT = 8;
const MOST_WEIGHT = 2 ** 23;

/** Whether the two can be kept as one. */
export function isPair(label: unknown, weight: unknown): boolean {
  return Number.isInteger(label) && Number.isInteger(weight) && Number(label) >= 0 && Number(label) < LABELS && Math.abs(Number(weight)) < MOST_WEIGHT;
}

/** Both in one number of 32 bits: there are millions of them in every model process. */
export function packPair(label: number, weight: number): number {
  return weight * LABELS + label;
}

/** As it is kept in memory: all pairs, each packed into one number, one after the other, each run of them behind its length. */
export interface LinearModel {
  readonly labels: readonly string[];
  readonly scale: number;
  /** Where a feature's run begins. */
  readonly starts: ReadonlyMap<string, number>;
  readonly runs: Int32Array;
}

/** A model file, checked and packed. */
export const linearModelSchema = head.transform(packModel);

/** Packs a model as its file has it. */
export function packModel({ labels, scale, weights }: Pick<z.infer<typeof head>, "labels" | "scale" | "weights">): LinearModel {
  const features = Object.entries(weights);
  const runs = new Int32Array(features.reduce((sum, [, pairs]) => sum + 1 + pairs.length / 2, 0));
  const starts = new Map<string, number>();
  let at = 0;
  for (const [feature, pairs] of features) {
    starts.set(feature, at);
    runs[at++] = pairs.length / 2;
    for (let pair = 0; pair < pairs.length; pair += 2) runs[at++] = packPair(pairs[pair] ?? 0, pairs[pair + 1] ?? 0);
  }
  return { labels, scale, starts, runs };
}

/** Adds up features' weights into one score per label. */
export class LinearScorer {
  readonly labels: readonly string[];
  readonly #model: LinearModel;

  constructor(model: LinearModel) {
    this.labels = model.labels;
    this.#model = model;
  }

  /** 0 where the feature says nothing of the label. */
  weight(feature: string, label: number): number {
    const { starts, runs, scale } = this.#model;
    const start = starts.get(feature);
    if (start === undefined) return 0;
    const end = start + 1 + (runs[start] ?? 0);
    for (let at = start + 1; at < end; at++) {
      const pair = runs[at] ?? 0;
      if ((pair & LABEL_BITS) === label) return (pair >> WEIGHT_SHIFT) / scale;
    }
    return 0;
  }

  /** `[labels]` */
  scores(features: Iterable<string>): Float64Array {
    const { starts, runs, scale } = this.#model;
    const scores = new Float64Array(this.labels.length);
    for (const feature of features) {
      const start = starts.get(feature);
      if (start === undefined) continue;
      const end = start + 1 + (runs[start] ?? 0);
      for (let at = start + 1; at < end; at++) {
        const pair = runs[at] ?? 0;
        const label = pair & LABEL_BITS;
        scores[label] = (scores[label] ?? 0) + (pair >> WEIGHT_SHIFT) / scale;
      }
    }
    return scores;
  }
}

/** Scores as shares of one. */
export function softmax(scores: Float64Array): Float64Array {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
