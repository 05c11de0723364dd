/**
 * Entities by a linear model over what the rules found and the words around: each word begins an entity, goes on with one,
 * or is none, from left to right. What a word was before in the call counts for what it is again.
 */
import { ENTITY_LABELS } from "../../../../core/entity.js";
import { type LinearModel, LinearScorer } from "../linear/linear-weights.js";
import type { EntitySpan } from "./entity-span.js";
import { callFeatures, type TagContext } from "./tag-features.js";

export const OUTSIDE = "O";
const MIN_HISTORY_LETTERS = 3;
/** How far the best tag must be before the next to be nearly sure: a perceptron's scores have no measure of their own. */
const MARGIN = 60;

/** Chooses a tag from features; training puts its own in place. */
export type ChooseTag = (
  features: readonly string[],
  place: { readonly segmentIndex: number; readonly at: number },
  previous: PreviousTag,
) => { readonly tag: string; readonly share: number };

export class EntityTagger {
  readonly #scorer: LinearScorer;

  constructor(model: LinearModel) {
    this.#scorer = new LinearScorer(model);
  }

  /** Spans of a call, in order, not overlapping. */
  tag(context: TagContext, signal: AbortSignal): readonly EntitySpan[] {
    const { labels } = this.#scorer;
    return walkTags(
      context,
      (features, _place, previous) => {
        const scores = this.#scorer.scores(features);
        const ranked = labels
          .flatMap((label, index) => (canFollow(label, previous) ? [{ tag: label, score: scores[index] ?? 0 }] : []))
          .sort((one, other) => other.score - one.score);
        const [best = { tag: OUTSIDE, score: 0 }, next = best] = ranked;
        return { tag: best.tag, share: 1 / (1 + Math.exp((next.score - best.score) / MARGIN)) };
      },
      signal,
    );
  }
}

/** These go on over a comma; no other entity does, and none goes on over the end of a sentence. */
const OVER_COMMAS: ReadonlySet<string> = new Set(["PHONE_NUMBER", "INCIDENT_TYPE", "DATE_TIME"]);

/** What was chosen for the word before. */
export interface PreviousTag {
  readonly tag: string;
  /** What stands between: nothing, a comma or the like, the end of a sentence. */
  readonly gap: "none" | "clause" | "sentence";
}

/** An entity goes on only after its own beginning. */
export function canFollow(tag: string, { tag: previous, gap }: PreviousTag): boolean {
  if (!tag.startsWith("I-")) return true;
  return previous.slice(2) === tag.slice(2) && (gap === "none" || (gap === "clause" && OVER_COMMAS.has(tag.slice(2))));
}

/** Goes through a call's words with the features that depend on what was chosen before. */
export function walkTags(context: TagContext, choose: ChooseTag, signal: AbortSignal): readonly EntitySpan[] {
  const features = callFeatures(context);
  const history = new Map<string, string>();
  const spans: EntitySpan[] = [];
  for (const [segmentIndex, { tokens }] of context.call.entries()) {
    signal.throwIfAborted();
    let [previous, beforePrevious] = [OUTSIDE, OUTSIDE];
    for (const [at, { norm, clause, sentence }] of tokens.entries()) {
      const last = tokens[at - 1];
      const gap = last === undefined || last.clause === clause ? "none" : last.sentence === sentence ? "clause" : "sentence";
      const known = history.get(norm);
      const own = [
        ...(features[segmentIndex]?.(at) ?? []),
        `t-1=${previous}`,
        `t-2t-1=${beforePrevious} ${previous}`,
        `t-1w=${previous} ${norm}`,
        ...(known === undefined ? [] : [`h=${known}`]),
      ];
      const { tag, share } = choose(own, { segmentIndex, at }, { tag: previous, gap });
      if (tag !== OUTSIDE && norm.length >= MIN_HISTORY_LETTERS) history.set(norm, tag.slice(2));
      extend(spans, { tag, share, segmentIndex, at });
      [beforePrevious, previous] = [previous, tag];
    }
  }
  return spans;
}

interface ChosenTag {
  readonly tag: string;
  readonly share: number;
  readonly segmentIndex: number;
  readonly at: number;
}

function extend(spans: EntitySpan[], { tag, share, segmentIndex, at }: ChosenTag): void {
  const label = ENTITY_LABELS.find((known) => known === tag.slice(2));
  if (label === undefined) return;
  const last = spans.at(-1);
  const goesOn = tag.startsWith("I-") && last?.segmentIndex === segmentIndex && last.endToken === at && last.label === label;
  if (goesOn) spans[spans.length - 1] = { ...last, endToken: at + 1, score: Math.min(last.score, share) };
  else spans.push({ label, segmentIndex, firstToken: at, endToken: at + 1, score: share });
}
