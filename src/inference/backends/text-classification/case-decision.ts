/** From what a model believes of each label to one case: a sub-category never contradicts its main category. Pure. */
import type { Priority } from "../../../core/case-classification.js";
import { type HeadSettings, priorityOf } from "./head-settings.js";

/** The labels in force. */
export interface CaseTaxonomy {
  readonly mainCategories: readonly { readonly label: string; readonly subCategories: readonly string[] }[];
  readonly interventions: readonly string[];
}

/** What a head believes: its labels and their scores, which add up to 1. */
export interface HeadBelief {
  readonly settings: Pick<HeadSettings, "labels" | "threshold" | "priorities">;
  readonly scores: ArrayLike<number>;
}

/** `ownLabel` is the model's word for `label`, which is the taxonomy's. */
export interface Decided<Label extends string = string> {
  readonly label: Label;
  readonly ownLabel: string;
  readonly score: number;
}

export interface CaseDecision {
  readonly mainCategory: Decided | undefined;
  readonly subCategory: Decided | undefined;
}

/** A pair of categories that the taxonomy allows; labels it does not know stand for themselves. */
interface CategoryPair {
  readonly main: Decided | undefined;
  readonly sub: Decided;
  /** Together. */
  readonly belief: number;
}

/** @param main - undefined: the model has no such head; likewise `sub` */
export function decideCategories(taxonomy: CaseTaxonomy, main: HeadBelief | undefined, sub: HeadBelief | undefined): CaseDecision {
  const alone = main === undefined ? undefined : decideLabel(mainLabels(taxonomy), main);
  if (sub === undefined) return { mainCategory: alone, subCategory: undefined };
  const [best] = pairsOf(taxonomy, main, sub).sort((one, other) => other.belief - one.belief);
  if (best === undefined || best.sub.score < sub.settings.threshold) return { mainCategory: alone, subCategory: undefined };
  return { mainCategory: best.main ?? alone, subCategory: best.sub };
}

/** The likeliest label, in the taxonomy's spelling; undefined below the threshold. */
export function decideLabel(known: readonly string[], { settings, scores }: HeadBelief): Decided | undefined {
  const [best] = ranked(settings.labels, scores);
  if (best === undefined || best.score < settings.threshold) return undefined;
  const [label = best.ownLabel] = knownAs(known, best.ownLabel);
  return { ...best, label };
}

/** Undefined below the threshold, and when the model's files do not say what its label means. */
export function decidePriority({ settings, scores }: HeadBelief): Decided<Priority> | undefined {
  const [best] = ranked(settings.labels, scores);
  const label = best === undefined ? undefined : priorityOf(best.ownLabel, settings);
  return best === undefined || label === undefined || best.score < settings.threshold ? undefined : { ...best, label };
}

function pairsOf(taxonomy: CaseTaxonomy, main: HeadBelief | undefined, sub: HeadBelief): CategoryPair[] {
  const mains = main === undefined ? [] : ranked(main.settings.labels, main.scores);
  return ranked(sub.settings.labels, sub.scores).flatMap(({ ownLabel, score }): readonly CategoryPair[] => {
    const places = taxonomy.mainCategories.flatMap(({ label, subCategories }) => knownAs(subCategories, ownLabel).map((name) => ({ main: label, name })));
    if (places.length === 0) return [{ main: undefined, sub: { label: ownLabel, ownLabel, score }, belief: score * (mains[0]?.score ?? 1) }];
    return places.map(({ main: mainLabel, name }) => {
      const own = mains.find((one) => isSame(one.ownLabel, mainLabel));
      // A model without a head for main categories means the one that its sub-category implies.
      const decided =
        main === undefined ? { label: mainLabel, ownLabel, score } : { label: mainLabel, ownLabel: own?.ownLabel ?? mainLabel, score: own?.score ?? 0 };
      return { main: decided, sub: { label: name, ownLabel, score }, belief: score * decided.score };
    });
  });
}

function ranked(labels: readonly string[], scores: ArrayLike<number>): { readonly ownLabel: string; readonly score: number }[] {
  return labels.map((ownLabel, index) => ({ ownLabel, score: scores[index] ?? 0 })).sort((one, other) => other.score - one.score);
}

const mainLabels = ({ mainCategories }: CaseTaxonomy): readonly string[] => mainCategories.map(({ label }) => label);

/** Those of `known` that a model means by `name`; ours carry their main category in brackets where two have one name. */
function knownAs(known: readonly string[], name: string): readonly string[] {
  return known.filter((label) => isSame(label, name) || isSame(label.replace(/ \([^)]*\)$/u, ""), name));
}

const plain = (label: string): string =>
  label
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

function isSame(one: string, other: string): boolean {
  return plain(one) === plain(other);
}
