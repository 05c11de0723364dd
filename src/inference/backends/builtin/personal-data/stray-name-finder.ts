/**
 * Names that no gazetteer has, by where they stand: the answer to "what's your name?", a word with a capital that is spoken
 * to ("Jayden, where are you?"), and an unknown word after a greeting. Common words are never names.
 */
import type { PersonalDataLexicon } from "../asset-schemas.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { matcherOf, type PhraseMatcher } from "../text/phrase-matcher.js";
import { oneToken, type TokenRange } from "../text/tokenizer.js";
import { isEnglishForm, isSwahiliVerb, SWAHILI_VERB_OF_PERSON } from "./word-shapes.js";

/** An answer to "what's your name?" has no more words than these. */
const LONGEST_ANSWER = 4;
const LEAST_LETTERS = 3;
export interface StrayNameWords {
  /** Never names. */
  readonly common: ReadonlySet<string>;
  /** Words before a name, such as titles and greetings. */
  readonly introducers: PhraseMatcher<true>;
  /** Words that follow a name at the beginning of a sentence. */
  readonly afterNames: ReadonlySet<string>;
  /** Names of the gazetteer, also those that are words. */
  readonly listed: ReadonlySet<string>;
}

export class StrayNameFinder {
  readonly #words: StrayNameWords;
  readonly #questions: PhraseMatcher<true>;
  readonly #fillers: ReadonlySet<string>;

  constructor(lexicon: PersonalDataLexicon, words: StrayNameWords) {
    this.#words = words;
    this.#questions = matcherOf(allPhrases(lexicon.name_questions));
    this.#fillers = new Set(lexicon.name_answer_fillers);
  }

  /** @param asked - what was said before */
  find(reading: SegmentReading, asked: SegmentReading | undefined): readonly TokenRange[] {
    return [...this.#answers(reading, asked), ...this.#spokenTo(reading), ...this.#subjects(reading), ...this.#introduced(reading)];
  }

  #answers(reading: SegmentReading, asked: SegmentReading | undefined): readonly TokenRange[] {
    if (asked === undefined || this.#questions.findAll(asked).length === 0) return [];
    const first = reading.tokens.filter(({ sentence }) => sentence === 0);
    const content = first.flatMap(({ norm }, at) => (this.#fillers.has(norm) ? [] : [at]));
    const begins = content[0];
    const isListed = begins !== undefined && this.#words.listed.has(first[begins]?.norm ?? "");
    if (content.length > LONGEST_ANSWER)
      return begins !== undefined && begins < LONGEST_ANSWER && (isListed || this.#mayBeName(reading, begins)) ? [oneToken(begins)] : [];
    // What is common in a sentence ("Grace", "Hope") is a name when it is the whole answer; a number ("thirteen") is none.
    const isWhole = (at: number): boolean => (content.length === 1 || isListed) && at === begins && reading.numberEnds[at] === 0;
    return content.filter((at) => this.#mayBeName(reading, at) || (isWhole(at) && (isListed || first[at]?.capitalised === true))).map(oneToken);
  }

  /** Alone between two marks of punctuation. */
  #spokenTo(reading: SegmentReading): readonly TokenRange[] {
    if (!reading.isCased) return [];
    return reading.tokens.flatMap(({ clause, capitalised }, at) => {
      const isAlone = reading.tokens[at - 1]?.clause !== clause && reading.tokens[at + 1]?.clause !== clause;
      return isAlone && capitalised && this.#mayBeName(reading, at) ? [oneToken(at)] : [];
    });
  }

  /** "Jayden amesema", "Patience speaking": a capital at the beginning of a sentence that one would not write without a name. */
  #subjects(reading: SegmentReading): readonly TokenRange[] {
    if (!reading.isCased) return [];
    return reading.sentences.flatMap(({ firstToken }) => {
      const [first, next] = [reading.tokens[firstToken], reading.tokens[firstToken + 1]];
      if (first?.capitalised !== true || next === undefined || next.clause !== first.clause) return [];
      const isSubject = this.#words.afterNames.has(next.norm) || SWAHILI_VERB_OF_PERSON.test(next.norm);
      return isSubject && (this.#words.listed.has(first.norm) || this.#mayBeName(reading, firstToken)) ? [oneToken(firstToken)] : [];
    });
  }

  #introduced(reading: SegmentReading): readonly TokenRange[] {
    return this.#words.introducers.findAll(reading).flatMap(({ endToken }) => {
      const [before, after] = [reading.tokens[endToken - 1], reading.tokens[endToken]];
      if (before === undefined || after?.clause !== before.clause) return [];
      const isName = this.#words.listed.has(after.norm) || this.#mayBeName(reading, endToken);
      return (after.capitalised || !reading.isCased) && isName ? [oneToken(endToken)] : [];
    });
  }

  #mayBeName({ tokens, numberEnds }: SegmentReading, at: number): boolean {
    const word = tokens[at]?.norm.replace(/'s$/, "") ?? "";
    if (word.length < LEAST_LETTERS || /\d/.test(word) || numberEnds[at] !== 0) return false;
    const { common, listed } = this.#words;
    if (common.has(word)) return false;
    return listed.has(word) || (!isSwahiliVerb(word) && !isEnglishForm(word, (stem) => common.has(stem)));
  }
}
