/**
 * Places below the district by what stands around them, where no list has them: after "kijiji cha" or before "village",
 * after a verb of living, as the answer to where somebody lives. A place takes in the words that say which part of it is
 * meant ("Githurai 45", "kata ya Mirongo", "zone B").
 */
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { matcherOf, type PhraseMatcher } from "../text/phrase-matcher.js";
import { oneToken, type TokenRange } from "../text/tokenizer.js";
import { shortAnswer } from "./short-answer.js";
import { isEnglishForm, isTensedVerb } from "./word-shapes.js";

const LONGEST_NAME = 2;
const LEAST_LETTERS = 3;
const LONGEST_ANSWER = 6;

export interface LocalPlaceWords {
  /** Plain words. */
  readonly common: ReadonlySet<string>;
  /** Names of districts and more. */
  readonly broad: ReadonlySet<string>;
  /** Names of the gazetteer in one word, also those that are words. */
  readonly listed: ReadonlySet<string>;
  readonly plainNumberWords: ReadonlySet<string>;
}

export class LocalPlaceFinder {
  readonly #words: LocalPlaceWords;
  readonly #heads: PhraseMatcher<true>;
  readonly #cues: PhraseMatcher<true>;
  readonly #questions: PhraseMatcher<true>;
  readonly #endings: ReadonlySet<string>;
  readonly #parts: ReadonlySet<string>;

  constructor({ personalData: { local_places: lexicon } }: Pick<BuiltinAssets, "personalData">, words: LocalPlaceWords) {
    this.#words = words;
    this.#heads = matcherOf(lexicon.heads);
    this.#cues = matcherOf(lexicon.cues);
    this.#questions = matcherOf(lexicon.questions);
    this.#endings = new Set(lexicon.endings);
    this.#parts = new Set(lexicon.parts);
  }

  /**
   * @param known - places that were found by list
   * @param asked - what was said before
   * @returns places of both kinds, with their parts
   */
  find(reading: SegmentReading, known: readonly TokenRange[], asked: SegmentReading | undefined): readonly TokenRange[] {
    const ends = new Map(known.map((range) => [range.firstToken, range.endToken]));
    const introduced = this.#heads.findAll(reading).flatMap(({ firstToken, endToken }) => {
      const end = ends.get(endToken) ?? this.#nameEnd(reading, endToken, endToken);
      return end > endToken ? [{ firstToken, endToken: end }] : [];
    });
    const cued = this.#cues.findAll(reading).flatMap(({ endToken }) => {
      const end = this.#nameEnd(reading, endToken, endToken);
      return end > endToken ? [{ firstToken: endToken, endToken: end }] : [];
    });
    const closed = reading.tokens.flatMap(({ norm, clause }, at) => {
      let first = at;
      while (this.#endings.has(norm) && at - first < LONGEST_NAME && this.#isName(reading, first - 1, clause)) first -= 1;
      return first < at ? [{ firstToken: first, endToken: at + 1 }] : [];
    });
    return [...known, ...introduced, ...cued, ...closed, ...this.#answers(reading, asked)].map((range) => this.#withParts(reading, range));
  }

  #answers(reading: SegmentReading, asked: SegmentReading | undefined): readonly TokenRange[] {
    const answer = shortAnswer(reading, { asked, questions: this.#questions, longest: LONGEST_ANSWER });
    return answer.flatMap(({ clause }, at) => (this.#isName(reading, at, clause) ? [oneToken(at)] : []));
  }

  /** "Umoja two", "Kikoni zone B", "Mathare 4A", "rabuor village". */
  #withParts({ tokens, numberEnds }: SegmentReading, { firstToken, endToken }: TokenRange): TokenRange {
    const clause = tokens[endToken - 1]?.clause;
    const isHere = (at: number): boolean => tokens[at] !== undefined && tokens[at]?.clause === clause;
    const numberEnd = (at: number): number => {
      const token = tokens[at];
      if (!isHere(at) || token === undefined) return at;
      if (/^\d{1,2}\p{L}?$/u.test(token.norm) || /^[a-h]$/u.test(token.norm)) return at + 1;
      return Math.max(at, numberEnds[at] ?? 0);
    };
    const isCounted = (at: number): boolean => this.#words.plainNumberWords.has(tokens[at]?.norm ?? "");
    let end = endToken;
    if (isHere(end) && this.#endings.has(tokens[end]?.norm ?? "")) end += 1;
    const isPart = isHere(end) && this.#parts.has(tokens[end]?.norm ?? "");
    const after = numberEnd(isPart ? end + 1 : end);
    const isNumber = after > (isPart ? end + 1 : end) && !isCounted(after) && (isPart || !/^[a-z]$/.test(tokens[end]?.norm ?? ""));
    return { firstToken, endToken: isNumber ? after : end };
  }

  #nameEnd(reading: SegmentReading, from: number, head: number): number {
    const clause = reading.tokens[head - 1]?.clause;
    let end = from;
    while (end - from < LONGEST_NAME && this.#isName(reading, end, clause)) end += 1;
    return end;
  }

  #isName({ tokens, isCased, numberEnds }: SegmentReading, at: number, clause: number | undefined): boolean {
    const token = tokens[at];
    if (token === undefined || token.clause !== clause || token.norm.length < LEAST_LETTERS || /\d/.test(token.norm) || numberEnds[at] !== 0) return false;
    const { common, broad } = this.#words;
    if (broad.has(token.norm) || this.#endings.has(token.norm) || isTensedVerb(token.norm)) return false;
    if (isCased && !token.capitalised) return false;
    if (this.#words.listed.has(token.norm)) return true;
    return !common.has(token.norm) && !isEnglishForm(token.norm, (stem) => common.has(stem));
  }
}
