/**
 * Linear models as plain data: for each feature that matters its weight for each label it speaks for. Trained by
 * `tools/language-models` on `data/labelled`, five folds, whole numbers so that a diff can be read.
 */
import { z } from "zod";

export const linearModelSchema = z.strictObject({
  id: z.string().min(1),
  version: z.int().min(1),
  /** Labels by number. */
  labels: z.array(z.string()).min(1),
  /** What whole numbers are divided by. */
  scale: z.number().positive(),
  /** Feature: pairs of label number and weight. */
  weights: z.record(z.string(), z.array(z.int())),
});
export type LinearModel = z.infer<typeof linearModelSchema>;

/** Adds up features' weights into one score per label. */
export class LinearScorer {
  readonly labels: readonly string[];
  readonly #weights: ReadonlyMap<string, Float64Array>;
  readonly #count: number;

  constructor({ labels, scale, weights }: LinearModel) {
    this.labels = labels;
    this.#count = labels.length;
    this.#weights = new Map(
      Object.entries(weights).map(([feature, pairs]) => [feature, Float64Array.from(pairs, (value, at) => (at % 2 === 0 ? value : value / scale))]),
    );
  }

  /** 0 where the feature says nothing of the label. */
  weight(feature: string, label: number): number {
    const pairs = this.#weights.get(feature);
    for (let at = 0; pairs !== undefined && at < pairs.length; at += 2) if (pairs[at] === label) return pairs[at + 1] ?? 0;
    return 0;
  }

  /** `[labels]` */
  scores(features: Iterable<string>): Float64Array {
    const scores = new Float64Array(this.#count);
    for (const feature of features) {
      const pairs = this.#weights.get(feature);
      if (pairs === undefined) continue;
      for (let at = 0; at < pairs.length; at += 2) {
        const label = pairs[at] ?? 0;
        scores[label] = (scores[label] ?? 0) + (pairs[at + 1] ?? 0);
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
