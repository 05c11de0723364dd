/**
 * Which sub-category a call is nearest to: complement naive Bayes over its words, what the cue phrases chose and the dangers
 * found. Many labels and few calls of each: counting words does better there than learning borders.
 */
import { type LinearModel, LinearScorer, softmax } from "../linear/linear-weights.js";

/** A call that is about none: silent, a prank, a wrong number. */
export const NO_TOPIC = "none";
const MAIN = "main:";
/** How much the main categories' own scores count beside the sub-categories'. */
const MAIN_SHARE = 0.5;
/** Makes shares of scores that say how often they are right; fitted on five folds. */
const SHARPNESS = 0.7;

export interface TopicShares {
  /** By sub-category. */
  readonly subs: ReadonlyMap<string, number>;
  /** By main category: what its sub-categories have together. */
  readonly mains: ReadonlyMap<string, number>;
}

export class TopicReader {
  readonly #scorer: LinearScorer;
  readonly #mainOf: ReadonlyMap<string, string>;
  readonly #subs: readonly { readonly label: string; readonly index: number; readonly mainIndex: number }[];
  readonly #mainIndices: readonly number[];

  /** @param mainOf - the main category of each sub-category; others are left out */
  constructor(model: LinearModel, mainOf: ReadonlyMap<string, string>) {
    this.#scorer = new LinearScorer(model);
    this.#mainOf = mainOf;
    const { labels } = this.#scorer;
    const subs = labels.filter((label) => label === NO_TOPIC || mainOf.has(label));
    this.#subs = subs.map((label) => ({ label, index: labels.indexOf(label), mainIndex: labels.indexOf(MAIN + this.#mainLabel(label)) }));
    this.#mainIndices = [...new Set(this.#subs.map(({ mainIndex }) => mainIndex))].filter((index) => index >= 0);
  }

  /** @param features - of the call; those the model does not know weigh nothing */
  read(features: ReadonlySet<string>): TopicShares {
    const scores = this.#scorer.scores(features);
    const subScores = standardized(this.#subs.map(({ index }) => scores[index] ?? 0));
    const mainScores = standardized(this.#mainIndices.map((index) => scores[index] ?? 0));
    const mainScoreOf = (mainIndex: number): number => mainScores[this.#mainIndices.indexOf(mainIndex)] ?? 0;
    const shares = softmax(Float64Array.from(this.#subs, ({ mainIndex }, at) => SHARPNESS * ((subScores[at] ?? 0) + MAIN_SHARE * mainScoreOf(mainIndex))));
    const subs = new Map(this.#subs.map(({ label }, at) => [label, shares[at] ?? 0]));
    const mains = new Map<string, number>();
    for (const [label, share] of subs) mains.set(this.#mainLabel(label), (mains.get(this.#mainLabel(label)) ?? 0) + share);
    return { subs, mains };
  }

  /** How much a feature speaks for a sub-category. */
  weight(feature: string, label: string): number {
    return this.#scorer.weight(feature, this.#scorer.labels.indexOf(label));
  }

  #mainLabel(label: string): string {
    return this.#mainOf.get(label) ?? NO_TOPIC;
  }
}

/** Mean 0, deviation 1: scores grow with the length of a call, and how much one stands out does not. */
function standardized(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return values.map((value) => (deviation === 0 ? 0 : (value - mean) / deviation));
}
