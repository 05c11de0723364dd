/**
 * Addresses in pieces: what has a number or a letter ("house b four", "kitalu c"), streets ("24 Biashara Street", "mtaa wa
 * Livingstone"), post boxes, and ways described from one thing to the next ("next to the church behind the posho mill").
 */
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { matcherOf, type PhraseMatcher } from "../text/phrase-matcher.js";
import type { TokenRange } from "../text/tokenizer.js";

const LONGEST_STREET = 3;
/** Words between "next to" and the thing. */
const LONGEST_STEP = 4;
const IDENTIFIER = /^(?:\p{L}{0,2}\d+\p{L}?|\d+\p{L}{1,2}\d*)$/u;
const ORDINAL = /^\d+(?:st|nd|rd|th)$/;
const BOX = /^(?:box|sanduku)$/;

export interface AddressWords {
  /** Plain words. */
  readonly common: ReadonlySet<string>;
  /** Names of persons and places. */
  readonly names: ReadonlySet<string>;
}

export class AddressFinder {
  readonly #words: AddressWords;
  readonly #units: ReadonlySet<string>;
  readonly #counted: ReadonlySet<string>;
  readonly #numberWords: ReadonlySet<string>;
  readonly #streets: ReadonlySet<string>;
  readonly #buildings: ReadonlySet<string>;
  readonly #ordinals: ReadonlySet<string>;
  readonly #fixed: PhraseMatcher<true>;
  readonly #heads: PhraseMatcher<true>;
  readonly #near: PhraseMatcher<true>;
  readonly #things: PhraseMatcher<true>;

  constructor({ personalData: { addresses }, landmarks }: Pick<BuiltinAssets, "personalData" | "landmarks">, words: AddressWords) {
    this.#words = words;
    this.#units = new Set(addresses.units);
    this.#counted = new Set(addresses.counted_units);
    this.#numberWords = new Set(addresses.number_words);
    this.#streets = new Set(addresses.streets);
    this.#buildings = new Set(addresses.buildings);
    this.#ordinals = new Set(addresses.ordinals);
    this.#fixed = matcherOf(addresses.fixed);
    this.#heads = matcherOf(addresses.street_heads);
    this.#near = matcherOf(allPhrases(landmarks.near_words));
    this.#things = matcherOf([...allPhrases(landmarks.landmark_nouns), ...addresses.things]);
  }

  find(reading: SegmentReading): readonly TokenRange[] {
    const at = reading.tokens.map((_, index) => index);
    const pieces = at.flatMap((index) => [...this.#unit(reading, index), ...this.#street(reading, index), ...this.#box(reading, index)]);
    const heads = this.#heads.findAll(reading).flatMap((match) => this.#named(reading, match));
    const fixed = this.#fixed.findAll(reading);
    return [...pieces, ...heads, ...fixed, ...this.#ways(reading, [...pieces, ...heads, ...fixed])];
  }

  /** "House number fourteen", "block f", "ghorofa ya pili"; "nyumba mbili" are two houses. */
  #unit({ tokens, numberEnds }: SegmentReading, at: number): readonly TokenRange[] {
    const head = tokens[at];
    if (head === undefined || !this.#units.has(head.norm)) return [];
    let next = at + 1;
    // "Ghorofa ya pili", but "the room ya pili" is the next one.
    const isNumberWord = (word: string): boolean => this.#numberWords.has(word) || (word === "ya" && this.#counted.has(head.norm));
    while (isNumberWord(tokens[next]?.norm ?? "")) next += 1;
    const token = tokens[next];
    if (token === undefined || token.clause !== head.clause) return [];
    const isTold = next > at + 1;
    const isLetter = /^\p{L}$/u.test(token.norm) && (isTold || token.capitalised || (token.norm !== "a" && token.norm !== "i"));
    const isNumber = (numberEnds[next] ?? 0) > 0;
    if (isNumber && !IDENTIFIER.test(token.norm) && !isTold && this.#counted.has(head.norm)) return [];
    if (!isLetter && !isNumber && !IDENTIFIER.test(token.norm) && !(isTold && this.#ordinals.has(token.norm))) return [];
    let end = isNumber ? (numberEnds[next] ?? next + 1) : next + 1;
    // "B four", "twelve b".
    const after = tokens[end];
    if (after?.clause === token.clause && (isLetter ? (numberEnds[end] ?? 0) > 0 : /^[b-hj-z]$/u.test(after?.norm ?? ""))) {
      end = isLetter ? (numberEnds[end] ?? end + 1) : end + 1;
    }
    return [{ firstToken: at, endToken: end }];
  }

  /** "24 Biashara Street", "kware road", "8th avenue". */
  #street(reading: SegmentReading, at: number): readonly TokenRange[] {
    const { tokens, isCased, numberEnds } = reading;
    const street = tokens[at];
    if (street === undefined || !(this.#streets.has(street.norm) || (this.#buildings.has(street.norm) && (street.capitalised || !isCased)))) return [];
    const clause = street.clause;
    let first = at;
    const isName = (index: number): boolean => {
      const token = tokens[index];
      if (token === undefined || token.clause !== clause || this.#numberWords.has(token.norm) || token.norm.length < 2) return false;
      if (ORDINAL.test(token.norm) || (index === at - 1 && this.#ordinals.has(token.norm) && this.#streets.has(street.norm))) return true;
      if ((numberEnds[index] ?? 0) > 0 || /\d/.test(token.norm)) return false;
      return isCased ? token.capitalised : this.#words.names.has(token.norm) || !this.#words.common.has(token.norm);
    };
    while (at - first < LONGEST_STREET && isName(first - 1)) first -= 1;
    const isNumbered = (index: number): boolean => tokens[index]?.clause === clause && /^\d+\p{L}?$/u.test(tokens[index]?.norm ?? "");
    if (first < at) return [{ firstToken: isNumbered(first - 1) ? first - 1 : first, endToken: at + 1 }];
    // With a number before, plain words too: "24 biashara street".
    const numbered = [at - 2, at - 3].find((index) => isNumbered(index));
    return numbered === undefined || isCased ? [] : [{ firstToken: numbered, endToken: at + 1 }];
  }

  /** "P.O. Box 1187-30100, Eldoret". */
  #box({ tokens, isCased, numberEnds }: SegmentReading, at: number): readonly TokenRange[] {
    const word = (index: number): string => tokens[index]?.norm ?? "";
    const isBox = BOX.test(word(at));
    const isLetters = word(at) === "slp" || (word(at) === "p" && word(at - 1) === "l" && word(at - 2) === "s");
    if (!isBox && !isLetters) return [];
    let end = at + 1;
    while (["la", "posta", "number", "namba", "no"].includes(word(end))) end += 1;
    const digits = end;
    while (/^\d+$/.test(word(end)) || (numberEnds[end] ?? 0) > 0) end = Math.max(end + 1, numberEnds[end] ?? 0);
    if (end === digits) return [];
    const isTown = (tokens[end]?.sentence === tokens[end - 1]?.sentence && tokens[end]?.capitalised === true) || (!isCased && this.#words.names.has(word(end)));
    let first = at;
    while (/^(?:p|o|po|s|l)$/.test(word(first - 1))) first -= 1;
    return [{ firstToken: first, endToken: isTown ? end + 1 : end }];
  }

  /** "Mtaa wa Livingstone". */
  #named({ tokens, isCased }: SegmentReading, { firstToken, endToken }: TokenRange): readonly TokenRange[] {
    const clause = tokens[firstToken]?.clause;
    const isName = (at: number): boolean => {
      const token = tokens[at];
      if (token === undefined || token.clause !== clause || /\d/.test(token.norm) || this.#ordinals.has(token.norm)) return false;
      return isCased ? token.capitalised : this.#words.names.has(token.norm) || !this.#words.common.has(token.norm);
    };
    let end = endToken;
    while (end - endToken < 2 && isName(end)) end += 1;
    return end > endToken ? [{ firstToken, endToken: end }] : [];
  }

  /** One thing near another, or near a piece of an address: a single one says too little. */
  #ways(reading: SegmentReading, pieces: readonly TokenRange[]): readonly TokenRange[] {
    const things = new Map<number, number>();
    for (const { firstToken, endToken } of this.#things.findAll(reading)) things.set(firstToken, Math.max(endToken, things.get(firstToken) ?? 0));
    const steps: TokenRange[] = [];
    for (const { firstToken, endToken } of this.#near.findAll(reading)) {
      if (firstToken < (steps.at(-1)?.endToken ?? 0)) continue;
      const thing = [...Array(LONGEST_STEP).keys()].map((skipped) => endToken + skipped).find((at) => things.has(at));
      const end = thing === undefined ? undefined : things.get(thing);
      if (end !== undefined && reading.tokens[end - 1]?.sentence === reading.tokens[firstToken]?.sentence) steps.push({ firstToken, endToken: end });
    }
    const starts = new Map(pieces.map((piece) => [piece.firstToken, piece.endToken]));
    const ends = new Map(pieces.map((piece) => [piece.endToken, piece.firstToken]));
    return steps.flatMap(({ firstToken, endToken }, index) => {
      const next = steps[index + 1];
      const end = next !== undefined && next.firstToken - endToken <= 2 ? next.endToken : this.#pieceEnd(reading, starts, endToken);
      const first = ends.get(firstToken) ?? firstToken;
      return end > endToken || first < firstToken ? [{ firstToken: first, endToken: end }] : [];
    });
  }

  /** The end of what is next to a thing by its name ("soko la Igoma, nyumba ya tatu"), else where the thing ends. */
  #pieceEnd({ tokens }: SegmentReading, starts: ReadonlyMap<number, number>, from: number): number {
    for (const at of [from, from + 1, from + 2]) {
      const end = starts.get(at);
      if (end !== undefined && tokens[at]?.sentence === tokens[from - 1]?.sentence) return end;
    }
    return from;
  }
}
