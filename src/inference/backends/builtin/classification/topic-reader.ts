/**
 * Which sub-category a call is nearest to: multinomial logistic regression over its words, pieces of words, what the cue phrases
 * chose and the dangers found, learnt from what callers say of each and from whole calls.
 */
import { type LinearModel, LinearScorer, softmax } from "../linear/linear-weights.js";

/** A call that is about none: silent, a prank, a wrong number. */
export const NO_TOPIC = "none";
/** Makes shares of scores that say how often they are right; fitted on five folds. */
const SHARPNESS = 2;

export interface TopicShares {
  /** By sub-category. */
  readonly subs: ReadonlyMap<string, number>;
  /** By main category: what its sub-categories have together. */
  readonly mains: ReadonlyMap<string, number>;
}

export class TopicReader {
  readonly #scorer: LinearScorer;
  readonly #mainOf: ReadonlyMap<string, string>;
  readonly #subs: readonly { readonly label: string; readonly index: number }[];

  /** @param mainOf - the main category of each sub-category; others are left out */
  constructor(model: LinearModel, mainOf: ReadonlyMap<string, string>) {
    this.#scorer = new LinearScorer(model);
    this.#mainOf = mainOf;
    this.#subs = this.#scorer.labels.map((label, index) => ({ label, index })).filter(({ label }) => label === NO_TOPIC || mainOf.has(label));
  }

  /** @param features - of the call; those the model does not know weigh nothing */
  read(features: ReadonlySet<string>): TopicShares {
    const scores = this.#scorer.scores(features);
    const norm = SHARPNESS / Math.sqrt(features.size);
    const shares = softmax(Float64Array.from(this.#subs, ({ index }) => norm * (scores[index] ?? 0)));
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
