/** Several yes-or-no questions about a text, each by its own weights: how likely each is. */
import { type LinearModel, LinearScorer } from "./linear-weights.js";

export class LogisticModel {
  readonly labels: readonly string[];
  readonly #scorer: LinearScorer;

  constructor(model: LinearModel) {
    this.#scorer = new LinearScorer(model);
    this.labels = this.#scorer.labels;
  }

  /** 0..1 for each label, each by itself. Long texts count no more than short ones. */
  shares(features: ReadonlySet<string>): ReadonlyMap<string, number> {
    const scores = this.#scorer.scores(features);
    const norm = 1 / Math.sqrt(features.size);
    return new Map(this.labels.map((label, index) => [label, 1 / (1 + Math.exp(-(scores[index] ?? 0) * norm))]));
  }

  /** How much a feature speaks for a label, before any norm. */
  weight(feature: string, label: string): number {
    return this.#scorer.weight(feature, this.labels.indexOf(label));
  }
}
