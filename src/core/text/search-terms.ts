/**
 * Texts and queries as search compares them: words without case, accents and apostrophes, so that every database finds the
 * same calls. "Ng'ombe" and "ngombe" are one word.
 */

/** A word that a text must have; with `isPrefix`, a word that begins so. */
export interface SearchTerm {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** In characters. Shorter words are in every call, longer ones are none. */
const SEARCH_TERM_LENGTH = { min: 3, max: 64 } as const;
/** In characters, of what stands before a `*`. */
export const SEARCH_PREFIX_LENGTH = { min: 3, max: 6 } as const;

/** What a masked text has in place of a name is no word of the caller's. */
const PSEUDONYM = /\[[A-Z_]+_\d+\]/g;
const APOSTROPHE = /['\u2018\u2019\u02bc]/g;

/** @returns every word of a text that can be searched for, once, in the order of the text */
export function searchableWords(text: string): readonly string[] {
  return [...new Set(wordsOf(text.replace(PSEUDONYM, " ")).filter((word) => hasLength(word, SEARCH_TERM_LENGTH)))];
}

/**
 * Reads a query: words that must all be there; a `*` at the end of three to six letters takes every word that begins so.
 *
 * @returns undefined where there is no word, or one of a length that is not searched for.
 */
export function parseSearchQuery(query: string): readonly SearchTerm[] | undefined {
  const terms = query.split(/\s+/).flatMap((piece) => {
    const words = wordsOf(piece);
    return words.map((text, index) => ({ text, isPrefix: piece.endsWith("*") && index === words.length - 1 }));
  });
  const isSearchable = ({ text, isPrefix }: SearchTerm): boolean => hasLength(text, isPrefix ? SEARCH_PREFIX_LENGTH : SEARCH_TERM_LENGTH);
  return terms.length > 0 && terms.every(isSearchable) ? terms : undefined;
}

/** Whether a text has a word that one of the terms means. */
export function hasAnyTerm(text: string, terms: readonly SearchTerm[]): boolean {
  const words = searchableWords(text);
  return terms.some((term) => words.some((word) => (term.isPrefix ? word.startsWith(term.text) : word === term.text)));
}

function wordsOf(text: string): readonly string[] {
  const folded = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(APOSTROPHE, "");
  return folded.match(/[\p{L}\p{N}]+/gu) ?? [];
}

function hasLength(word: string, { min, max }: { readonly min: number; readonly max: number }): boolean {
  const length = [...word].length;
  return length >= min && length <= max;
}
