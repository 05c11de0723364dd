/** One segment read for the rules: its tokens, numbers and sentences, without what scope says of them. */
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";
import type { NumberLexicon } from "../asset-schemas.js";
import { findNumbers, type NumberSpan } from "./number-finder.js";
import type { MatchableText } from "./phrase-matcher.js";
import { tokenize } from "./tokenizer.js";

export interface TextReading extends MatchableText {
  readonly segment: TranscriptSegment;
  readonly numbers: readonly NumberSpan[];
  /** Written with capitals and small letters, so that a capital says something. */
  readonly isCased: boolean;
}

/** Evidence for tokens `[firstToken, endToken)` of a text; the range must hold a token. */
export function tokenEvidence(text: TextReading, firstToken: number, endToken: number): Evidence {
  const start = text.tokens[firstToken]?.startOffset ?? 0;
  const end = text.tokens[endToken - 1]?.endOffset ?? start;
  return toEvidence(text.segment, start, end);
}

/** Cuts a segment into tokens and finds its numbers. */
export function readText(segment: TranscriptSegment, lexicon: NumberLexicon): TextReading {
  const text = tokenize(segment.text);
  const numbers = findNumbers(text.tokens, lexicon);
  const numberEnds = new Int32Array(text.tokens.length);
  for (const { firstToken, endToken } of numbers) numberEnds[firstToken] = endToken;
  return { ...text, segment, numbers, numberEnds, isCased: /\p{Lu}/u.test(segment.text) && /\p{Ll}/u.test(segment.text) };
}
