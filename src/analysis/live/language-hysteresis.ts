/**
 * Language per segment among the allowed, without flicker: a few words in another language do not move the call, and
 * what is too short to tell keeps the language spoken before. Pure.
 */
import { type LanguageTag, MIXED_LANGUAGE, UNDETERMINED_LANGUAGE } from "../../core/language.js";

export interface HeardLanguage {
  /** Of the channel so far; undefined before the first segment. */
  readonly current?: LanguageTag;
  /** Another language that the last segment was in. */
  readonly candidate?: LanguageTag;
}

/** Fewer words than this say nothing of a language. */
const MIN_WORDS = 3;
/** So many words are enough to move by themselves. */
const SURE_WORDS = 8;

/** @returns the state after a segment, and the segment's own tag. */
export function hearLanguage(state: HeardLanguage, heard: LanguageTag, wordCount: number): { readonly state: HeardLanguage; readonly tag: LanguageTag } {
  const { current, candidate } = state;
  if (heard === UNDETERMINED_LANGUAGE) return { state, tag: current ?? heard };
  // A mixed segment is one of the two languages' speakers: what follows is not mixed for it.
  if (heard === MIXED_LANGUAGE) return { state, tag: wordCount < MIN_WORDS ? (current ?? heard) : heard };
  if (current === undefined) return { state: { current: heard }, tag: heard };
  if (wordCount < MIN_WORDS) return { state, tag: current };
  if (heard === current) return { state: { current }, tag: current };
  if (wordCount >= SURE_WORDS || heard === candidate) return { state: { current: heard }, tag: heard };
  // The segment is what it is; the channel waits for a second one.
  return { state: { current, candidate: heard }, tag: heard };
}
