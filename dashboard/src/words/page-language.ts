/** The page's languages, which of them to begin with, and names for labels that may come from outside a closed set. */
import type { ClassificationHead } from "../wire/call-shapes.js";
import type { Problem } from "../wire/problem.js";
import { WORDS_EN, type Words } from "./words-en.js";
import { WORDS_SW } from "./words-sw.js";

export const PAGE_LANGUAGES = ["en", "sw"] as const;
export type PageLanguage = (typeof PAGE_LANGUAGES)[number];

export const WORDS: Readonly<Record<PageLanguage, Words>> = { en: WORDS_EN, sw: WORDS_SW };

/** @param tags - BCP 47 tags, most wanted first, as `navigator.languages` has them. */
export function choosePageLanguage(tags: readonly string[]): PageLanguage {
  for (const tag of tags) {
    const wanted = PAGE_LANGUAGES.find((language) => tag.toLowerCase().split("-")[0] === language);
    if (wanted !== undefined) return wanted;
  }
  return "en";
}

/** A word from a closed set; a label from outside of it is shown as it came. */
export function nameOf(names: Readonly<Record<string, string>>, label: string): string {
  return Object.hasOwn(names, label) ? (names[label] ?? label) : label;
}

export function nameOfLabel(words: Words, head: ClassificationHead, label: string): string {
  if (head === "contact_type") return nameOf(words.contactType, label);
  if (head === "priority") return nameOf(words.level, label);
  return label;
}

/** Taxonomy labels are English words of the helpline, whatever the page's language. */
export function labelLanguage(head: ClassificationHead): "en" | undefined {
  return head === "contact_type" || head === "priority" ? undefined : "en";
}

/** Why something could not be done, in plain words. */
export function explainProblem(words: Words, { status, code }: Problem): string {
  if (status === 0) return words.problemNoAnswer;
  if (code === "CALL_NOT_LIVE") return words.problemNotLive;
  if (code === "CALL_NOT_ANALYSED") return words.feedbackNotYet;
  if (code === "CALL_SEARCH_UNCLEAR") return words.problemSearch;
  if (code === "CALL_SEARCH_OFF") return words.problemSearchOff;
  if (status === 401) return words.problemKey;
  if (status === 403) return words.problemDenied;
  if (status === 404 || status === 410) return words.problemGone;
  if (status === 429) return words.problemBusy;
  return status >= 500 ? words.problemFault : words.problemRefused;
}
