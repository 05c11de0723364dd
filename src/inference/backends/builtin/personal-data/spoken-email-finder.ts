/**
 * E-mail addresses as they are spoken: "wanjiru dot k at gmail dot com", "fatma ali themanini at yahoo nukta com"; also as a
 * recognizer writes them, without the marks ("wanjiru k gmail com"). The end of an address is sure and its beginning is
 * not: it is read backwards from there, over what is spelt, joined, a number or no common word.
 */
import type { NumberLexicon, PersonalDataLexicon } from "../asset-schemas.js";
import type { TextReading } from "../text/text-reading.js";
import type { TokenRange } from "../text/tokenizer.js";

const LONGEST_LOCAL_PART = 14;
/** Words between "at" and the end of a domain. */
const LONGEST_DOMAIN = 6;
/** A full stop ends a sentence only before a blank: "info.rehab" is one word to its owner. */
const BREAK = /[!?;\n]|\.\s/;

/** These close an address after any word that is no other; `example` is the one of made-up addresses (RFC 2606). */
const SURE_ENDS = new Set(["com", "example"]);

export interface EmailWords {
  readonly lexicon: PersonalDataLexicon["email"];
  readonly numbers: NumberLexicon;
  /** Words that begin no address, but for those that are names as well. */
  readonly isCommon: (word: string) => boolean;
}

export class SpokenEmailFinder {
  readonly #at: ReadonlySet<string>;
  readonly #dot: ReadonlySet<string>;
  readonly #domains: ReadonlySet<string>;
  readonly #providers: ReadonlySet<string>;
  readonly #joiners: ReadonlySet<string>;
  readonly #stops: ReadonlySet<string>;
  readonly #numberWords: ReadonlySet<string>;
  readonly #aids: readonly (readonly string[])[];
  readonly #isCommon: (word: string) => boolean;

  constructor({ lexicon, numbers, isCommon }: EmailWords) {
    this.#at = new Set(lexicon.at);
    this.#dot = new Set(lexicon.dot);
    this.#domains = new Set(lexicon.domains);
    this.#providers = new Set(lexicon.providers);
    this.#joiners = new Set(lexicon.joiners);
    this.#stops = new Set(lexicon.stops);
    this.#aids = lexicon.spelling_aids.map((phrase) => phrase.split(" "));
    const { units, teens, tens, repeaters, spoken_zero } = numbers;
    this.#numberWords = new Set([...[units, teens, tens, repeaters].flatMap((group) => Object.keys(group)), ...spoken_zero, ...lexicon.number_words]);
    this.#isCommon = isCommon;
  }

  /** Ranges of tokens that spell an address. */
  find(reading: TextReading): readonly TokenRange[] {
    const found: TokenRange[] = [];
    let from = 0;
    for (let index = 1; index < reading.tokens.length; index += 1) {
      const domain = this.#domainAt(reading, index);
      if (domain === undefined || domain.firstToken - 1 < from) continue;
      const firstToken = this.#localStart(reading, domain.firstToken - 1, from);
      if (firstToken === undefined) continue;
      found.push({ firstToken, endToken: domain.endToken });
      from = domain.endToken;
      index = domain.endToken - 1;
    }
    return found;
  }

  /** What closes an address, with its "at". */
  #domainAt(reading: TextReading, index: number): TokenRange | undefined {
    const word = (at: number): string => reading.tokens[at]?.norm ?? "";
    if (this.#at.has(word(index))) {
      const last = this.#domainEnd(reading, index + 1);
      return last === undefined ? undefined : { firstToken: index, endToken: last };
    }
    const isAfterAt = this.#at.has(word(index - 1));
    if (isAfterAt || word(index - 1) === "www") return undefined;
    const endToken = this.#suffixEnd(reading, index + 1);
    const hasSuffix = endToken > index + 1;
    if (this.#providers.has(word(index))) return hasSuffix ? { firstToken: index, endToken } : undefined;
    // Without "at": "jane doe bungomafarmers co ke". One word such as "or" may be a word; two of a domain are none.
    const isLabel = !this.#stops.has(word(index)) && (!this.#isCommon(word(index)) || !this.#isCommon(word(index - 1)));
    const isSure = hasSuffix && ((SURE_ENDS.has(word(index + 1)) && isLabel) || endToken - index > 2) && !this.#domains.has(word(index));
    return isSure && word(index - 1) !== "" ? { firstToken: index, endToken } : undefined;
  }

  /** @param first - after "at" */
  #domainEnd(reading: TextReading, first: number): number | undefined {
    const word = (at: number): string => reading.tokens[at]?.norm ?? "";
    if (this.#providers.has(word(first))) return Math.max(first + 1, this.#suffixEnd(reading, first + 1));
    for (let at = first + 1; at < reading.tokens.length && at - first < LONGEST_DOMAIN && !isBreak(reading, at); at += 1) {
      const isEnd = this.#domains.has(word(at)) && (this.#dot.has(word(at - 1)) || SURE_ENDS.has(word(at)) || this.#isGlued(reading, at));
      if (isEnd) return this.#suffixEnd(reading, at);
    }
    return undefined;
  }

  /** After "dot co dot ke", or "co ke". */
  #suffixEnd(reading: TextReading, first: number): number {
    let end = first;
    while (end < reading.tokens.length && !isBreak(reading, end)) {
      const isDotted = this.#dot.has(reading.tokens[end]?.norm ?? "") && end + 1 < reading.tokens.length;
      const at = isDotted ? end + 1 : end;
      if (!this.#domains.has(reading.tokens[at]?.norm ?? "")) break;
      end = at + 1;
    }
    return end;
  }

  #isGlued({ segment, tokens }: TextReading, at: number): boolean {
    return segment.text.slice(tokens[at - 1]?.endOffset, tokens[at]?.startOffset) === ".";
  }

  /** Undefined when nothing before a domain can be of an address. */
  #localStart(reading: TextReading, last: number, from: number): number | undefined {
    const word = (at: number): string => reading.tokens[at]?.norm ?? "";
    if (last < from || isBreak(reading, last + 1) || (this.#stops.has(word(last)) && !this.#dot.has(word(last - 1)))) return undefined;
    let first = last;
    while (first > from && last - first < LONGEST_LOCAL_PART && !isBreak(reading, first)) {
      const aid = this.#aids.find((words) => words.every((part, at) => word(first - words.length + at) === part));
      if (aid !== undefined) first = Math.max(from, first - aid.length);
      else if (this.#isPart(reading, first - 1)) first -= 1;
      else if (this.#isBridge(reading, first - 1)) first -= 2;
      else break;
    }
    return first;
  }

  /** A plain word between parts that are none: "chacha youth kehancha". */
  #isBridge(reading: TextReading, at: number): boolean {
    const word = reading.tokens[at]?.norm ?? "";
    return at > 0 && !this.#stops.has(word) && !isBreak(reading, at) && this.#isPart(reading, at - 1);
  }

  #isPart({ tokens, segment }: TextReading, at: number): boolean {
    const [word, next, previous] = [tokens[at]?.norm ?? "", tokens[at + 1]?.norm ?? "", tokens[at - 1]?.norm ?? ""];
    const isJoiner = (part: string): boolean => this.#dot.has(part) || this.#joiners.has(part);
    if (isJoiner(word) || isJoiner(next) || segment.text.slice(tokens[at]?.endOffset, tokens[at + 1]?.startOffset) === ".") return true;
    const isNumber = (part: string): boolean => /^\d+$/.test(part) || this.#numberWords.has(part);
    if (word === "na" || word === "and") return isNumber(previous) && isNumber(next);
    if (isNumber(word)) return true;
    if (previous === "in" && tokens[at - 2]?.norm === "as") return true;
    if (/^\p{L}$/u.test(word)) return (word !== "i" && word !== "a") || next.length === 1 || previous.length === 1;
    return !this.#stops.has(word) && !this.#isCommon(word);
  }
}

function isBreak({ tokens, segment }: TextReading, at: number): boolean {
  return BREAK.test(segment.text.slice(tokens[at - 1]?.endOffset ?? 0, tokens[at]?.startOffset ?? 0));
}
