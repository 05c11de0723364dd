/**
 * Schools by their names: "Enkorika Primary", "St. Mary's Girls", "shule ya msingi Kiloleni", "i go to green valley
 * primary". The word for a school stands after an English name and before a Swahili one; where the call asks for the
 * school, or says that somebody learns there, it may be missing ("nasoma Lenana").
 */
import type { PiiKind } from "../../../../security/masking/pii-detector.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { matcherOf, type PhraseMatcher } from "../text/phrase-matcher.js";
import { oneToken, type TokenRange } from "../text/tokenizer.js";
import { shortAnswer } from "./short-answer.js";
import { isTensedVerb } from "./word-shapes.js";

const LONGEST_NAME = 4;
/** More words than these are a story, and no answer. */
const LONGEST_ANSWER = 5;
const OF_WORDS = new Set(["ya", "la", "cha", "wa", "za"]);
/** Within a name: "Our Lady of Mercy". */
const INNER_WORDS = new Set(["of", "ya", "wa", "la", "and", "na", "the"]);
const SAINTS = new Set(["st", "saint", "sta", "mt", "fr", "sr"]);
const MADRASA = /^madras\p{L}{3,}$/u;

export interface SchoolWords {
  /** Plain words. */
  readonly common: ReadonlySet<string>;
  /** Names of persons and places. */
  readonly names: ReadonlySet<string>;
}

export class SchoolNameFinder {
  /** "School", "primary", "msingi". */
  readonly #kindWords: ReadonlySet<string>;
  /** Those that follow a name and nothing else. */
  readonly #endings: ReadonlySet<string>;
  /** Words that name kinds of places and none of them. */
  readonly #generic: ReadonlySet<string>;
  readonly #adjectives: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  readonly #before: ReadonlySet<string>;
  readonly #introducers: PhraseMatcher<true>;
  readonly #questions: PhraseMatcher<true>;

  constructor({ personalData: { schools }, landmarks, people }: Pick<BuiltinAssets, "personalData" | "landmarks" | "people">, { common, names }: SchoolWords) {
    this.#kindWords = new Set([...schools.words, ...schools.levels]);
    this.#endings = new Set(schools.endings);
    const nouns = allPhrases(landmarks.landmark_nouns).flatMap((phrase) => phrase.split(/[\s|]+/));
    this.#generic = new Set([...common, ...nouns, ...landmarks.school_levels]);
    // Days, months and titles have capitals and are no names either.
    this.#adjectives = new Set([...schools.not_names, ...people.capital_words]);
    this.#names = new Set([...names, ...schools.name_words]);
    this.#before = new Set(schools.before_names);
    this.#introducers = matcherOf(schools.introducers);
    this.#questions = matcherOf(schools.questions);
  }

  /** @param asked - what was said before */
  find(reading: SegmentReading, asked: SegmentReading | undefined): readonly TokenRange[] {
    const around = reading.tokens.flatMap(({ norm }, at) => {
      if (MADRASA.test(norm)) return [{ firstToken: at, endToken: this.#nameEnd(reading, at + 1) }];
      return this.#kindWords.has(norm) ? this.#nameAround(reading, at) : [];
    });
    return [...around, ...this.#introduced(reading), ...this.#answers(reading, asked)];
  }

  /** Undefined for "the mosque", which has no name. */
  kindOfLandmark({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange): PiiKind | undefined {
    const words = tokens.slice(firstToken, endToken).map(({ norm }) => norm);
    if (!words.some((word) => word.length > 2 && !this.#generic.has(word))) return undefined;
    return words.some((word) => this.#kindWords.has(word)) ? "SCHOOL" : "PLACE";
  }

  /** @param at - of the word for a school */
  #nameAround(reading: SegmentReading, at: number): readonly TokenRange[] {
    const { tokens, isCased } = reading;
    const firstToken = isCased ? this.#capitalStart(reading, at) : Math.min(this.#nameStart(reading, at), this.#placedStart(reading, at));
    const isKind = (index: number): boolean => {
      const word = tokens[index]?.clause === tokens[at]?.clause ? (tokens[index]?.norm ?? "") : "";
      return this.#kindWords.has(word) || this.#endings.has(word) || OF_WORDS.has(word);
    };
    let endToken = at + 1;
    while (isKind(endToken)) endToken += 1;
    const isNamed = firstToken < at;
    const end = isNamed ? this.#withDeaf(reading, endToken) : this.#nameEnd(reading, endToken);
    return isNamed || end > endToken ? [{ firstToken, endToken: OF_WORDS.has(tokens[end - 1]?.norm ?? "") ? end - 1 : end }] : [];
  }

  /** Capitals before the word for a school, also common words ("Little Angels Kindergarten"). */
  #capitalStart({ tokens }: SegmentReading, at: number): number {
    const clause = tokens[at]?.clause;
    const isCapital = (index: number): boolean => {
      const token = tokens[index];
      if (token?.clause !== clause || token?.capitalised !== true || /^\d/.test(token.norm)) return false;
      // "Our Lady of Mercy Primary", but "The primary": in mid sentence a capital makes a name of any word.
      const isWithin = tokens[index - 1]?.sentence === token.sentence || (index < at - 1 && tokens[at]?.capitalised === true);
      if (isWithin) return true;
      const isOther = this.#adjectives.has(token.norm) || isTensedVerb(token.norm);
      return !isOther && (this.#endings.has(tokens[at]?.norm ?? "") || !this.#generic.has(token.norm));
    };
    let first = at;
    while (at - first < LONGEST_NAME) {
      if (isCapital(first - 1)) first -= 1;
      else if (first < at && INNER_WORDS.has(tokens[first - 1]?.norm ?? "") && isCapital(first - 2)) first -= 2;
      else break;
    }
    const isSaint = SAINTS.has(tokens[first - 1]?.norm ?? "");
    // "The primary", "Every school": one common word with a capital begins a sentence, unless the school has a capital too.
    const isName = tokens[at]?.capitalised === true || tokens.slice(first, at).some(({ norm }) => !this.#generic.has(norm) || this.#names.has(norm));
    if (!isName && !isSaint) return at;
    return isSaint ? first - 1 : first;
  }

  #nameStart(reading: SegmentReading, at: number): number {
    let first = at;
    while (at - first < LONGEST_NAME && this.#isName(reading, first - 1, reading.tokens[at]?.clause)) first -= 1;
    return first > 0 && SAINTS.has(reading.tokens[first - 1]?.norm ?? "") ? first - 1 : first;
  }

  /** "At kariobangi north primary": after a word of place without an article even plain words are a name. */
  #placedStart({ tokens }: SegmentReading, at: number): number {
    if (!this.#endings.has(tokens[at]?.norm ?? "")) return at;
    const clause = tokens[at]?.clause;
    for (let first = at - 1; first >= 0 && at - first <= LONGEST_NAME + 1 && tokens[first]?.clause === clause; first -= 1) {
      const word = tokens[first]?.norm ?? "";
      if (this.#before.has(word)) return first + 1;
      if (this.#adjectives.has(word) || this.#kindWords.has(word) || /\d/.test(word) || isTensedVerb(word)) break;
    }
    return at;
  }

  /** "School for the Deaf". */
  #withDeaf({ tokens }: SegmentReading, end: number): number {
    return tokens[end]?.norm === "for" && tokens[end + 1]?.norm === "the" && tokens[end + 2] !== undefined ? end + 3 : end;
  }

  #nameEnd(reading: SegmentReading, from: number): number {
    let end = from;
    const clause = reading.tokens[from - 1]?.clause;
    while (end - from < LONGEST_NAME && this.#isName(reading, end, clause)) end += 1;
    return end;
  }

  #isName({ tokens, isCased, numberEnds }: SegmentReading, at: number, clause: number | undefined): boolean {
    const token = tokens[at];
    if (token === undefined || token.clause !== clause || /\d/.test(token.norm) || numberEnds[at] !== 0 || token.norm.length < 3) return false;
    if (this.#adjectives.has(token.norm) || this.#kindWords.has(token.norm)) return false;
    if (isCased) return token.capitalised;
    return this.#names.has(token.norm) || (!this.#generic.has(token.norm) && !isTensedVerb(token.norm));
  }

  #introduced(reading: SegmentReading): readonly TokenRange[] {
    return this.#introducers.findAll(reading).flatMap(({ endToken: firstToken }) => {
      if (reading.tokens[firstToken]?.clause !== reading.tokens[firstToken - 1]?.clause) return [];
      const endToken = this.#nameEnd(reading, firstToken);
      return endToken > firstToken ? [{ firstToken, endToken }] : [];
    });
  }

  #answers(reading: SegmentReading, asked: SegmentReading | undefined): readonly TokenRange[] {
    const answer = shortAnswer(reading, { asked, questions: this.#questions, longest: LONGEST_ANSWER });
    return answer.flatMap(({ clause }, at) => (this.#isName(reading, at, clause) ? [oneToken(at)] : []));
  }
}
