/** Telephone numbers: nine to fifteen digits, in digit groups or spoken one by one in English or Swahili. */
import type { NumberLexicon } from "../asset-schemas.js";
import type { SegmentReading } from "../text/call-reading.js";
import type { EntitySpan } from "./entity-span.js";

const MIN_DIGITS = 9;
const MAX_DIGITS = 15;
const GROUP_GAP = /^[\s().+-]*$|^,\s*$/;

/** Finds telephone numbers of one segment, from left to right. */
export function findPhoneNumbers(reading: SegmentReading, segmentIndex: number, lexicon: NumberLexicon): readonly EntitySpan[] {
  const spans: EntitySpan[] = [];
  let first = 0;
  while (first < reading.tokens.length) {
    const run = digitRun(reading, first, lexicon);
    if (run.digits >= MIN_DIGITS && run.digits <= MAX_DIGITS) {
      spans.push({ label: "PHONE_NUMBER", segmentIndex, firstToken: first, endToken: run.endToken, score: 0.8 });
    }
    first = Math.max(run.endToken, first + 1);
  }
  return spans;
}

function digitRun(reading: SegmentReading, first: number, lexicon: NumberLexicon): { endToken: number; digits: number } {
  let digits = 0;
  let at = first;
  let repeat = 1;
  let endToken = first;
  while (at < reading.tokens.length) {
    const token = reading.tokens[at];
    const previous = reading.tokens[at - 1];
    if (token === undefined) break;
    const gap = reading.segment.text.slice(previous?.endOffset ?? 0, token.startOffset);
    if (at > first && !GROUP_GAP.test(gap)) break;
    const repeater = lexicon.repeaters[token.norm];
    const count = digitCount(token.norm, lexicon);
    if (repeater !== undefined) {
      repeat = repeater;
    } else if (count > 0) {
      digits += count === 1 ? repeat : count;
      repeat = 1;
      endToken = at + 1;
    } else {
      break;
    }
    at += 1;
  }
  return { endToken, digits };
}

function digitCount(word: string, lexicon: NumberLexicon): number {
  if (/^\d+$/.test(word)) return word.length;
  if (lexicon.spoken_zero.includes(word)) return 1;
  const unit = lexicon.units[word];
  return unit === undefined ? 0 : 1;
}
