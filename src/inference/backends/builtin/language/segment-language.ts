/**
 * The language of one text. Three to seven words: the lexicon's votes alone. Eight words and more: also franc's letter
 * statistics, which decide where the lexicon knows few of the words. Mixed: two languages each have their share of the votes.
 */
import { francAll } from "franc";
import { type LanguageTag, MIXED_LANGUAGE, UNDETERMINED_LANGUAGE } from "../../../../core/language.js";
import type { LanguageLexicon } from "../asset-schemas.js";
import { tokenize } from "../text/tokenizer.js";
import type { WordLanguages } from "./word-languages.js";

/** Fewer words say nothing of a language. */
const MIN_WORDS = 3;
/** So many words are enough for statistics of letters. */
const STATISTICS_WORDS = 8;

/** franc names languages by ISO 639-3, we by BCP 47; a language that is not here is left to the lexicon. */
const FRANC_NAMES: Readonly<Record<string, LanguageTag>> = { eng: "en", swh: "sw", lug: "lg" };

interface Votes {
  readonly total: number;
  readonly known: number;
  /** Most votes first; of related languages the first only, with the votes of all. */
  readonly ranked: readonly { readonly language: LanguageTag; readonly count: number }[];
}

/** @returns a tag, `mixed`, `und` when nothing in the text tells; undefined for less than three words, which is too little to ask. */
export function languageOf(text: string, words: WordLanguages, lexicon: LanguageLexicon): LanguageTag | undefined {
  const { mixed, thin_share: thinShare } = lexicon;
  const spoken = tokenize(text).tokens.flatMap(({ norm }) => (/\p{L}/u.test(norm) ? [norm] : []));
  if (spoken.length < MIN_WORDS) return undefined;
  const votes = countVotes(spoken, words, lexicon);
  const isLong = spoken.length >= STATISTICS_WORDS;
  const [first, second] = votes.ranked;
  if (isLong && votes.known < thinShare * spoken.length) return byLetters(text) ?? first?.language ?? UNDETERMINED_LANGUAGE;
  if (first === undefined || (votes.known === 0 && !isLong)) return UNDETERMINED_LANGUAGE;
  if (second !== undefined && second.count >= mixed.min_words && second.count >= mixed.min_share * votes.total) return MIXED_LANGUAGE;
  return first.language;
}

function countVotes(spoken: readonly string[], words: WordLanguages, { related }: LanguageLexicon): Votes {
  const byLanguage = new Map<LanguageTag, number>();
  let known = 0;
  let total = 0;
  for (const word of spoken) {
    const vote = words.voteOf(word);
    if (vote === null) continue;
    total += 1;
    if (vote.isKnown) known += 1;
    byLanguage.set(vote.language, (byLanguage.get(vote.language) ?? 0) + 1);
  }
  const ranked: { language: LanguageTag; count: number }[] = [];
  for (const [language, count] of [...byLanguage].sort((one, other) => other[1] - one[1])) {
    const relative = ranked.find((stronger) => related.some((group) => group.includes(stronger.language) && group.includes(language)));
    if (relative === undefined) ranked.push({ language, count });
    else relative.count += count;
  }
  return { total, known, ranked: ranked.sort((one, other) => other.count - one.count) };
}

function byLetters(text: string): LanguageTag | undefined {
  const [best] = francAll(text, { only: Object.keys(FRANC_NAMES) });
  return best === undefined ? undefined : FRANC_NAMES[best[0]];
}
