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
  labels: z.array(z.string()).min(1),
  /** What whole numbers are divided by. */
  scale: z.number().positive(),
  // Looked through by hand: there are a million numbers, and every model process reads them when it starts.
  weights: z.custom<Weights>(isWeights, "must be lists of pairs of whole numbers by feature"),
});

function isWeights(value: unknown): value is Weights {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const pairs of Object.values(value)) {
    if (!Array.isArray(pairs) || pairs.length % 2 !== 0) return false;
    for (const number of pairs) if (!Number.isInteger(number)) return false;
  }
  return true;
}

/** As it is kept in memory: all pairs one after the other, each run of them behind its length. */
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
  const runs = new Int32Array(features.reduce((sum, [, pairs]) => sum + 1 + pairs.length, 0));
  const starts = new Map<string, number>();
  let at = 0;
  for (const [feature, pairs] of features) {
    starts.set(feature, at);
    runs[at] = pairs.length;
    runs.set(pairs, at + 1);
    at += 1 + pairs.length;
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
    for (let at = start + 1; at < end; at += 2) if (runs[at] === label) return (runs[at + 1] ?? 0) / scale;
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
      for (let at = start + 1; at < end; at += 2) {
        const label = runs[at] ?? 0;
        scores[label] = (scores[label] ?? 0) + (runs[at + 1] ?? 0) / scale;
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
