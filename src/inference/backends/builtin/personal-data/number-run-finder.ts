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
/** Of a turn between a question for a number and the number. */
const WORDS_BETWEEN = 8;
const GAP = /^[\s().+\-–,/'"]*$/;
/** A comma ends what is spelt. */
const LETTER_GAP = /^[\s.-]*$/;
const DATE = /^\d{1,2}[/.\s-]\d{1,2}[/.\s-](?:19|20)?\d{2}$/;
const YEAR = /^(?:19|20)\d{2}$/;
const PARTS_BETWEEN = new Set(["dash", "of", "hyphen", "na", "and"]);
/** A case is numbered within a day or a year: "22 ya tarehe 3/10/2026". */
const PARTS_OF_CASE = new Set(["of", "ya", "tarehe", "dated", "year", "mwaka"]);
/** Letters and digits in one word are a code from this length on. */
const LEAST_CODE = 5;
/** Words of letters that begin a code: "CHL 2026 871", "bug rb 2214 2026". */
const PREFIX = { words: 3, letters: /^\p{L}{1,6}$/u, word: /^\p{L}{1,4}$/u };
const NUMBER_NOUNS = new Set(["number", "no", "namba", "nambari", "numero"]);
const BE_WORDS = new Set(["is", "ni", "it", "it's", "its", "was", "ilikuwa"]);
/** "C for Charlie". */
const SPELLING_AIDS = [["for"], ["as", "in"], ["kama"], ["like"]];
/** After so many digits a letter belongs to them, also behind a comma. */
const DIGITS_BEFORE_LETTER = 3;
const CORRECTION_WORDS = 4;
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

/** What a turn has of numbers, found once for all that asks. */
export interface NumberTurn {
  readonly reading: TextReading;
  /** Words that say what a number is. */
  readonly cues: readonly PhraseMatch<PiiKind>[];
  readonly runs: readonly Run[];
  /** Those with digits; none where one of them counts something, is a day, or is a number that all may know. */
  readonly uncountedRuns: readonly Run[];
}

/** What the last words of that kind say that a number is. */
export function lastCue({ cues }: NumberTurn): PiiKind | undefined {
  return cues.at(-1)?.payload;
}

export class NumberRunFinder {
  readonly #numbers: NumberLexicon;
  readonly #cues: PhraseMatcher<PiiKind>;
  readonly #plainWords: ReadonlySet<string>;
  readonly #spellings: ReadonlySet<string>;
  readonly #letters: ReadonlySet<string>;
  readonly #codeWords: ReadonlySet<string>;
  /** Within a number and no digit of it: "six hundred and twelve". */
  readonly #partsBetween: ReadonlySet<string>;
  /** "No", "sorry", "halafu": who dictates mends what was said. */
  readonly #corrections: ReadonlySet<string>;
  readonly #multipliers: ReadonlySet<string>;
  readonly #commonWords: ReadonlySet<string>;
  readonly #publicNumbers: ReadonlySet<string>;
  readonly #prefixes: ReadonlySet<string>;
  readonly #cueWords: ReadonlySet<string>;

  constructor(numbers: NumberLexicon, lexicon: PersonalDataLexicon, commonWords: ReadonlySet<string>) {
    this.#numbers = numbers;
    this.#spellings = new Set(lexicon.number_spellings);
    this.#letters = new Set(lexicon.letter_names);
    this.#codeWords = new Set(lexicon.code_words);
    this.#corrections = new Set(lexicon.number_corrections);
    this.#multipliers = new Set(lexicon.number_multipliers);
    this.#partsBetween = new Set([...PARTS_BETWEEN, ...lexicon.number_multipliers]);
    this.#commonWords = commonWords;
    this.#plainWords = new Set(Object.values(lexicon.plain_number_words).flat());
    const cues = Object.entries(lexicon.number_cues) as [PiiKind, Readonly<Record<string, readonly string[]>>][];
    this.#cues = new PhraseMatcher(cues.flatMap(([payload, phrases]) => allPhrases(phrases).map((phrase) => ({ phrase, payload }))));
    this.#publicNumbers = new Set(lexicon.public_numbers);
    this.#prefixes = new Set(lexicon.code_prefixes);
    this.#cueWords = new Set(cues.flatMap(([, phrases]) => allPhrases(phrases).flatMap((phrase) => phrase.split(/[\s|?]+/))));
  }

  read(reading: TextReading): NumberTurn {
    const runs = this.#runs(reading);
    const withDigits = runs.filter(({ digits }) => digits > 0);
    const isPlain = (run: Run): boolean => {
      const text = textOf(reading, run);
      return this.#isPublic(reading, run) || this.#isCounted(reading, run) || YEAR.test(text) || DATE.test(text);
    };
    return { reading, cues: this.#cues.findAll(reading), runs, uncountedRuns: withDigits.some(isPlain) ? [] : withDigits };
  }

  /** @param before - the last few turns before, in order: they may ask for a number */
  find({ reading, cues, runs }: NumberTurn, before: readonly NumberTurn[]): readonly NumberRun[] {
    const asked = askedFor(before);
    const found: NumberRun[] = [];
    for (const spoken of runs) {
      const cue = nearest(cues, spoken.firstToken) ?? asked;
      const run = cue === "CASE_NUMBER" ? this.#withDay(reading, spoken) : spoken;
      const kind = this.#kindOf(reading, run, cue);
      if (kind === undefined) continue;
      const firstToken = kind === "PHONE_NUMBER" ? run.firstToken : this.#prefixStart(reading, run.firstToken);
      found.push({ kind, firstToken, endToken: run.endToken });
    }
    return found;
  }

  #withDay(reading: TextReading, run: Run): Run {
    let at = run.endToken;
    while (at - run.endToken < 2 && PARTS_OF_CASE.has(reading.tokens[at]?.norm ?? "") && isBesides(reading, at)) at += 1;
    if (at === run.endToken) return run;
    const day = this.#runAt(reading, at);
    return day.endToken === at ? run : { ...run, endToken: day.endToken, digits: run.digits + day.digits };
  }

  #prefixStart(reading: TextReading, first: number): number {
    let at = first;
    while (at > 0 && first - at < PREFIX.words && isBesides(reading, at, LETTER_GAP)) {
      const word = reading.tokens[at - 1]?.norm ?? "";
      const isCode = PREFIX.word.test(word) && this.#isAnnounced(reading, at - 1);
      const isWord = this.#cueWords.has(word) || this.#commonWords.has(word);
      const isOfCode = PREFIX.letters.test(word) && (isCode || !isWord) && this.#partOf(word, true) === undefined;
      if (!isOfCode && !this.#prefixes.has(word)) break;
      at -= 1;
    }
    return at;
  }

  /** "Number bed 0214": what follows the word for a number is of it, also where it is another word. */
  #isAnnounced({ tokens }: TextReading, at: number): boolean {
    const previous = tokens[at - 1]?.norm ?? "";
    const introducer = BE_WORDS.has(previous) ? (tokens[at - 2]?.norm ?? "") : previous;
    return NUMBER_NOUNS.has(introducer) && !BE_WORDS.has(tokens[at]?.norm ?? "") && !PARTS_OF_CASE.has(tokens[at]?.norm ?? "");
  }

  #kindOf(reading: TextReading, run: Run, cue: PiiKind | undefined): PiiKind | undefined {
    const { digits, letters, firstToken, endToken, isCode } = run;
    const text = textOf(reading, run);
    if (this.#isPublic(reading, run) || (cue === undefined && this.#isCounting(reading, run))) return undefined;
    if (isCode && digits >= LEAST_DIGITS_WITH_CUE) return cue === undefined || cue === "PHONE_NUMBER" ? "CASE_NUMBER" : cue;
    if (letters >= PLATE_PARTS.letters && (digits >= PLATE_PARTS.digits || cue === "PLATE") && digits < LEAST_DIGITS) return cue ?? "PLATE";
    if (cue !== undefined && letters > 0 && digits > 0 && endToken - firstToken === 1 && text.length >= LEAST_CODE) return cue;
    if (cue !== undefined && letters >= PLATE_PARTS.letters && digits > 0 && letters + digits >= LEAST_CODE) return cue;
    if (digits < LEAST_DIGITS_WITH_CUE || (digits < LEAST_DIGITS && cue === undefined)) return undefined;
    if (YEAR.test(text) || (cue !== "CASE_NUMBER" && DATE.test(text))) return undefined;
    if (digits < LEAST_DIGITS && this.#isCounted(reading, run)) return undefined;
    const plain = text.replace(/\D/g, "");
    if (digits >= PHONE_DIGITS.least && digits <= PHONE_DIGITS.most && (cue === undefined || /^(?:0[167]|25[456])/.test(plain))) return "PHONE_NUMBER";
    return cue ?? "NATIONAL_ID";
  }

  /** "300 shillings", "saa mbili". */
  #isCounted({ tokens }: TextReading, { firstToken, endToken }: Run): boolean {
    return [tokens[firstToken - 1], tokens[endToken]].some((token) => token !== undefined && this.#plainWords.has(token.norm));
  }

  /** "One two three four five six seven": a child counts. */
  #isCounting({ tokens }: TextReading, { firstToken, endToken }: Run): boolean {
    return tokens.slice(firstToken, endToken).every(({ norm }, at) => this.#numbers.units[norm] === at + 1);
  }

  /** "116", "one one six". */
  #isPublic({ tokens }: TextReading, { firstToken, endToken }: Run): boolean {
    const digits = tokens.slice(firstToken, endToken).map(({ norm }) => (/^\d+$/.test(norm) ? norm : (this.#numbers.units[norm] ?? "-")));
    return this.#publicNumbers.has(digits.join(""));
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
    let [isCode, isAided, isAfterTens] = [false, false, false];
    for (let at = firstToken; at < reading.tokens.length; at += 1) {
      const token = reading.tokens[at];
      if (token === undefined || (at > firstToken && !isBesides(reading, at))) break;
      const aided = this.#spellingEnd(reading, at);
      if (aided > at) {
        letters += 1;
        isAided = true;
        endToken = aided;
        at = aided - 1;
        continue;
      }
      const part = this.#partOf(token.norm, at === firstToken, at > firstToken || this.#isSpelt(reading, at));
      const isLetter = part !== undefined && part.digits === 0 && part.letters > 0;
      const isOfNumber = (isAided || digits >= DIGITS_BEFORE_LETTER) && token.norm !== "a" && token.norm !== "i";
      if (isLetter && at > firstToken && !isOfNumber && !isBesides(reading, at, LETTER_GAP)) break;
      if (part === undefined) {
        if (endToken === firstToken) {
          // "Mia tatu na mbili" begins with what it counts.
          if (at === firstToken && this.#multipliers.has(token.norm) && this.#isDigit(reading, at + 1)) continue;
          break;
        }
        if (this.#codeWords.has(token.norm)) isCode = true;
        else if (!this.#partsBetween.has(token.norm) && !this.#isMended(reading, at) && !(digits >= DIGITS_AROUND_ODD_WORD && this.#isMisheard(reading, at)))
          break;
        continue;
      }
      // Said over and over it says nothing, and to look past all of it from each would take for ever.
      if (part.repeat !== undefined && repeat !== 1) break;
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

  /** Where "C for Charlie", "B as in Bravo" ends; the same place where nothing is spelt so. */
  #spellingEnd({ tokens }: TextReading, at: number): number {
    const word = (index: number): string => tokens[index]?.norm ?? "";
    if (!/^\p{L}$/u.test(word(at)) && !this.#letters.has(word(at))) return at;
    const length = SPELLING_AIDS.find((aid) => aid.every((part, index) => word(at + 1 + index) === part))?.length ?? 0;
    return length > 0 && at + 1 + length < tokens.length ? at + 2 + length : at;
  }

  /** A few such words in a row, and then a digit. */
  #isMended(reading: TextReading, at: number): boolean {
    let next = at;
    while (next - at < CORRECTION_WORDS && this.#corrections.has(reading.tokens[next]?.norm ?? "")) next += 1;
    return next > at && this.#isDigit(reading, next);
  }

  #isDigit({ tokens }: TextReading, at: number): boolean {
    return (this.#partOf(tokens[at]?.norm ?? "", false)?.digits ?? 0) > 0;
  }

  /** The letter "a" before another, or before digits, is no word. */
  #isSpelt(reading: TextReading, at: number): boolean {
    const next = reading.tokens[at + 1]?.norm ?? "";
    return (/^\p{L}$/u.test(next) || this.#isDigit(reading, at + 1)) && isBesides(reading, at + 1, LETTER_GAP);
  }

  /** A word that stands between digits and is no word. */
  #isMisheard(reading: TextReading, at: number): boolean {
    const word = reading.tokens[at]?.norm ?? "";
    const next = reading.tokens[at + 1]?.norm ?? "";
    return word.length <= 6 && !this.#commonWords.has(word) && (this.#partOf(next, false)?.digits ?? 0) > 0 && isBesides(reading, at + 1);
  }

  #partOf(word: string, isFirst: boolean, isSpelt = !isFirst): Part | undefined {
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
    const isLetter = /^\p{L}$/u.test(word) ? isSpelt || (word !== "i" && word !== "a") : this.#letters.has(word);
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

/** The question may be some turns ago, with "wait" and "yes" in between. */
function askedFor(before: readonly NumberTurn[]): PiiKind | undefined {
  for (const turn of [...before].reverse()) {
    const cue = lastCue(turn);
    if (cue !== undefined) return cue;
    if (turn.reading.tokens.length > WORDS_BETWEEN) return undefined;
  }
  return undefined;
}

function textOf({ segment, tokens }: TextReading, { firstToken, endToken }: TokenRange): string {
  return segment.text.slice(tokens[firstToken]?.startOffset, tokens[endToken - 1]?.endOffset);
}

function nearest(cues: readonly PhraseMatch<PiiKind>[], firstToken: number): PiiKind | undefined {
  let best: PhraseMatch<PiiKind> | undefined;
  for (const cue of cues) {
    if (cue.endToken > firstToken || firstToken - cue.endToken > CUE_REACH) continue;
    if (best === undefined || cue.endToken >= best.endToken) best = cue;
  }
  return best?.payload;
}
