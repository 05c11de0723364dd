/**
 * Telephone numbers: nine to fifteen digits, in digit groups or spoken one by one in English or Swahili, and the short codes of helplines
 * and emergencies where somebody is to call them.
 */
import type { NumberLexicon } from "../asset-schemas.js";
import type { SegmentReading } from "../text/call-reading.js";
import type { TokenRange } from "../text/tokenizer.js";
import type { EntitySpan } from "./entity-span.js";

const MIN_DIGITS = 9;
const MAX_DIGITS = 15;
const GROUP_GAP = /^[\s().+-]*$|^,\s*$/;

/** Finds telephone numbers of one segment, from left to right. */
export function findPhoneNumbers(reading: SegmentReading, segmentIndex: number, lexicon: NumberLexicon): readonly EntitySpan[] {
  const spans: EntitySpan[] = [];
  let first = 0;
  while (first < reading.tokens.length) {
    const endToken = endOfDigits(reading, first, lexicon);
    const range = { firstToken: firstOfNumber(reading, { firstToken: first, endToken }, lexicon), endToken };
    const digits = digitsIn(reading, range, lexicon);
    const isWhole = digits.length >= MIN_DIGITS && digits.length <= MAX_DIGITS && isDialled(reading, range, lexicon);
    if (isWhole || (isShortCode(reading, range, lexicon) && isToCall(reading, lexicon))) {
      spans.push({ label: "PHONE_NUMBER", segmentIndex, ...range, score: 0.8 });
    }
    first = Math.max(endToken, first + 1);
  }
  return spans;
}

/** Of a number in the country: "0712 345 678". */
const NATIONAL_DIGITS = 10;
/** Said before it and none of it. */
const MOST_STRAY_DIGITS = 2;

/** "I have one, zero seven one two ...": a digit before a whole number is none of it. "Plus two five four ..." is. */
function firstOfNumber(reading: SegmentReading, { firstToken, endToken }: TokenRange, lexicon: NumberLexicon): number {
  const digits = digitsIn(reading, { firstToken, endToken }, lexicon);
  const isInternational = lexicon.country_codes.some((code) => digits.startsWith(code));
  if (isInternational) return lexicon.plus_words.includes(reading.tokens[firstToken - 1]?.norm ?? "") ? firstToken - 1 : firstToken;
  const strays = digits.length - NATIONAL_DIGITS;
  if (strays <= 0 || strays > MOST_STRAY_DIGITS || digits.startsWith("0")) return firstToken;
  for (let at = firstToken + 1; at < endToken; at++) {
    const rest = digitsIn(reading, { firstToken: at, endToken }, lexicon);
    if (rest.length === NATIONAL_DIGITS && rest.startsWith("0")) return at;
  }
  return firstToken;
}

/** What begins with a zero and is longer than a number in the country is an account's, unless a country follows. One digit is soon misheard. */
export function isDialled(reading: SegmentReading, range: TokenRange, lexicon: NumberLexicon): boolean {
  const digits = digitsIn(reading, range, lexicon);
  const isInGroups = range.endToken - range.firstToken > 1;
  return !digits.startsWith("0") || digits.startsWith("00") || digits.length <= NATIONAL_DIGITS + (isInGroups ? 1 : 0);
}

/** "116", "one one six": everybody's number. */
export function isShortCode(reading: SegmentReading, range: TokenRange, lexicon: NumberLexicon): boolean {
  return lexicon.short_codes.includes(digitsIn(reading, range, lexicon));
}

function isToCall({ tokens }: SegmentReading, lexicon: NumberLexicon): boolean {
  return tokens.some(({ norm }) => lexicon.calling_words.includes(norm));
}

/** Those of the words that are digits. */
function digitsIn({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange, lexicon: NumberLexicon): string {
  let digits = "";
  let repeat = 1;
  for (const { norm } of tokens.slice(firstToken, endToken)) {
    const repeater = lexicon.repeaters[norm];
    if (repeater === undefined) digits += digitsOf(norm, lexicon).repeat(/^\d\d/.test(norm) ? 1 : repeat);
    repeat = repeater ?? 1;
  }
  return digits;
}

/** Behind the last digit of what goes on from a word with digits and words for them. */
function endOfDigits(reading: SegmentReading, first: number, lexicon: NumberLexicon): number {
  let end = first;
  for (let at = first; at < reading.tokens.length; at++) {
    const [token, previous] = [reading.tokens[at], reading.tokens[at - 1]];
    if (token === undefined) break;
    const gap = reading.segment.text.slice(previous?.endOffset ?? 0, token.startOffset);
    if (at > first && !GROUP_GAP.test(gap)) break;
    if (digitsOf(token.norm, lexicon) !== "") end = at + 1;
    // Said over and over it says nothing, and to look past all of it from each would take for ever.
    else if (lexicon.repeaters[token.norm] === undefined || (at > first && lexicon.repeaters[previous?.norm ?? ""] !== undefined)) break;
  }
  return end;
}

function digitsOf(word: string, lexicon: NumberLexicon): string {
  if (/^\d+$/.test(word)) return word;
  if (lexicon.spoken_zero.includes(word)) return "0";
  return String(lexicon.units[word] ?? "");
}
