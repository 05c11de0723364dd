/** Flattens the lexicons' groups of phrases into lists for a matcher; languages are matched together, as callers mix them. */
import type { StrengthsByLanguage, StrengthWeights } from "../asset-schemas.js";
import type { PhraseEntry } from "./phrase-matcher.js";

/** The phrases of all languages, in the order of the file. */
export function allPhrases(phrases: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return Object.values(phrases).flat();
}

/** A cue for a label, with the weight of its strength. */
export interface WeightedCue<Label extends string = string> {
  readonly label: Label;
  readonly weight: number;
}

/** Matcher entries for one label; cues of the same strength share one payload object. */
export function weightedEntries<Label extends string>(
  label: Label,
  cues: StrengthsByLanguage,
  weights: StrengthWeights,
): readonly PhraseEntry<WeightedCue<Label>>[] {
  return (["strong", "medium", "weak"] as const).flatMap((strength) => {
    const payload = { label, weight: weights[strength] };
    return Object.values(cues).flatMap((byStrength) => byStrength[strength].map((phrase) => ({ phrase, payload })));
  });
}
