/**
 * Numbers and codes that belong to a person, in digits or spoken one by one, also mixed with spelt letters ("K C D three
 * four five M"). What kind it is, the words before it tell, or the question that it answers; a long number is personal
 * data without such words too.
 */
import type { PiiKind } from "../../../../security/masking/pii-detector.js";
import type { NumberLexicon, PersonalDataLexicon } from "../asset-schemas.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { type PhraseMatch, PhraseMatcher } from "../text/phrase-matcher.js";
import type { TextReading } from "../text/text-reading.js";
import type { TokenRange } from "../text/tokenizer.js";

export interface NumberRun extends TokenRange {
  readonly kind: PiiKind;
}

/** Digits that make a number personal with nothing around to say so, and with words that do. */
const LEAST_DIGITS = 7;
const LEAST_DIGITS_WITH_CUE = 3;
const PHONE_DIGITS = { least: 9, most: 15 };
const PLATE_PARTS = { letters: 2, digits: 3 };
/** A cue speaks for a number that begins so few words after it. */
const CUE_REACH = 6;
const GAP = /^[\s().+\-–,/'"]*$/;
/** A comma ends what is spelt. */
const LETTER_GAP = /^[\s.-]*$/;
const DATE = /^\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)?\d{2}$/;
const YEAR = /^(?:19|20)\d{2}$/;
const PARTS_BETWEEN = new Set(["dash", "of", "hyphen", "na", "and"]);
/** So many digits on both sides hold an odd word between them: a digit that was misheard. */
const DIGITS_AROUND_ODD_WORD = 3;
/** How plates begin that are spoken as one word. */
const PLATE_START = /^(?:k[a-z]{2}|km[a-z]{2}|u[a-z]{2})$/;

interface Run extends TokenRange {
  readonly digits: number;
  readonly letters: number;
  /** "Stroke", "slash". */
  readonly isCode: boolean;
}

export class NumberRunFinder {
  readonly #numbers: NumberLexicon;
  readonly #cues: PhraseMatcher<PiiKind>;
  readonly #plainWords: ReadonlySet<string>;
  readonly #spellings: ReadonlySet<string>;
  readonly #letters: ReadonlySet<string>;
  readonly #codeWords: ReadonlySet<string>;
  readonly #commonWords: ReadonlySet<string>;

  constructor(numbers: NumberLexicon, lexicon: PersonalDataLexicon, commonWords: ReadonlySet<string>) {
    this.#numbers = numbers;
    this.#spellings = new Set(lexicon.number_spellings);
    this.#letters = new Set(lexicon.letter_names);
    this.#codeWords = new Set(lexicon.code_words);
    this.#commonWords = commonWords;
    this.#plainWords = new Set(Object.values(lexicon.plain_number_words).flat());
    const cues = Object.entries(lexicon.number_cues) as [PiiKind, Readonly<Record<string, readonly string[]>>][];
    this.#cues = new PhraseMatcher(cues.flatMap(([payload, phrases]) => allPhrases(phrases).map((phrase) => ({ phrase, payload }))));
  }

  /** @param asked - what was said before: its last words may ask for a number. */
  find(reading: TextReading, asked: TextReading | undefined): readonly NumberRun[] {
    const cues = this.#cues.findAll(reading);
    const askedFor = asked === undefined ? undefined : this.#cues.findAll(asked).at(-1)?.payload;
    const found: NumberRun[] = [];
    for (const run of this.#runs(reading)) {
      const kind = this.#kindOf(reading, run, nearest(cues, run.firstToken) ?? askedFor);
      if (kind !== undefined) found.push({ kind, firstToken: run.firstToken, endToken: run.endToken });
    }
    return found;
  }

  #kindOf(reading: TextReading, run: Run, cue: PiiKind | undefined): PiiKind | undefined {
    const { digits, letters, firstToken, endToken, isCode } = run;
    const text = reading.segment.text.slice(reading.tokens[firstToken]?.startOffset, reading.tokens[endToken - 1]?.endOffset);
    if (isCode && digits >= LEAST_DIGITS_WITH_CUE) return cue === undefined || cue === "PHONE_NUMBER" ? "CASE_NUMBER" : cue;
    if (letters >= PLATE_PARTS.letters && (digits >= PLATE_PARTS.digits || cue === "PLATE") && digits < LEAST_DIGITS) return cue ?? "PLATE";
    if (digits < LEAST_DIGITS_WITH_CUE || (digits < LEAST_DIGITS && cue === undefined)) return undefined;
    if (YEAR.test(text) || (cue !== "CASE_NUMBER" && DATE.test(text))) return undefined;
    const next = reading.tokens[endToken];
    if (digits < LEAST_DIGITS && next !== undefined && this.#plainWords.has(next.norm)) return undefined;
    const previous = reading.tokens[firstToken - 1];
    if (digits < LEAST_DIGITS && previous !== undefined && this.#plainWords.has(previous.norm)) return undefined;
    const plain = text.replace(/\D/g, "");
    if (digits >= PHONE_DIGITS.least && digits <= PHONE_DIGITS.most && (cue === undefined || /^(?:0[167]|25[456])/.test(plain))) return "PHONE_NUMBER";
    return cue ?? "NATIONAL_ID";
  }

  #runs(reading: TextReading): readonly Run[] {
    const runs: Run[] = [];
    let at = 0;
    while (at < reading.tokens.length) {
      const run = this.#runAt(reading, at);
      if (run.endToken > at) runs.push(run);
      at = Math.max(run.endToken, at + 1);
    }
    return runs;
  }

  #runAt(reading: TextReading, firstToken: number): Run {
    let [digits, letters, repeat, endToken] = [0, 0, 1, firstToken];
    let isCode = false;
    let isAfterTens = false;
    for (let at = firstToken; at < reading.tokens.length; at += 1) {
      const token = reading.tokens[at];
      if (token === undefined || (at > firstToken && !isBesides(reading, at))) break;
      const part = this.#partOf(token.norm, at === firstToken);
      const isLetter = part !== undefined && part.digits === 0 && part.letters > 0;
      if (isLetter && at > firstToken && !isBesides(reading, at, LETTER_GAP)) break;
      if (part === undefined) {
        if (endToken === firstToken) break;
        if (this.#codeWords.has(token.norm)) isCode = true;
        else if (!PARTS_BETWEEN.has(token.norm) && !(digits >= DIGITS_AROUND_ODD_WORD && this.#isMisheard(reading, at))) break;
        continue;
      }
      // "Twenty two" has two digits, and "double two" as well.
      const isUnitOfTens = isAfterTens && part.digits === 1 && !/\d/.test(token.norm);
      if (!isUnitOfTens) digits += part.digits === 1 ? repeat : part.digits;
      letters += part.letters;
      repeat = part.repeat ?? 1;
      isAfterTens = part.isTens === true;
      if (part.digits + part.letters > 0 || token.norm === "plus") endToken = at + 1;
    }
    return { firstToken, endToken, digits, letters, isCode };
  }

  /** A word that stands between digits and is no word. */
  #isMisheard(reading: TextReading, at: number): boolean {
    const word = reading.tokens[at]?.norm ?? "";
    const next = reading.tokens[at + 1]?.norm ?? "";
    return word.length <= 6 && !this.#commonWords.has(word) && (this.#partOf(next, false)?.digits ?? 0) > 0 && isBesides(reading, at + 1);
  }

  #partOf(word: string, isFirst: boolean): Part | undefined {
    const { units, teens, tens, spoken_zero, repeaters } = this.#numbers;
    if (/\d/.test(word)) {
      const digits = word.replace(/\D/g, "").length;
      return { digits, letters: word.length - digits };
    }
    const repeat = repeaters[word];
    if (repeat !== undefined) return { digits: 0, letters: 0, repeat };
    if (word === "plus") return { digits: 0, letters: 0 };
    if (spoken_zero.includes(word) || units[word] !== undefined || this.#spellings.has(word)) return { digits: 1, letters: 0 };
    if (teens[word] !== undefined) return { digits: 2, letters: 0 };
    if (tens[word] !== undefined) return { digits: 2, letters: 0, isTens: true };
    if (isFirst && PLATE_START.test(word) && !this.#commonWords.has(word)) return { digits: 0, letters: word.length };
    // "I" and "a" are words; a spelt code rarely begins with them.
    const isLetter = /^\p{L}$/u.test(word) ? !isFirst || (word !== "i" && word !== "a") : this.#letters.has(word);
    return isLetter ? { digits: 0, letters: 1 } : undefined;
  }
}

interface Part {
  readonly digits: number;
  readonly letters: number;
  /** How often the digit after it counts. */
  readonly repeat?: number;
  readonly isTens?: boolean;
}

/** Nothing but blanks and marks stands between a token and the one before. */
function isBesides({ tokens, segment }: TextReading, at: number, gap = GAP): boolean {
  return gap.test(segment.text.slice(tokens[at - 1]?.endOffset ?? 0, tokens[at]?.startOffset ?? 0));
}

function nearest(cues: readonly PhraseMatch<PiiKind>[], firstToken: number): PiiKind | undefined {
  let best: PhraseMatch<PiiKind> | undefined;
  for (const cue of cues) {
    if (cue.endToken > firstToken || firstToken - cue.endToken > CUE_REACH) continue;
    if (best === undefined || cue.endToken >= best.endToken) best = cue;
  }
  return best?.payload;
}
