/** Which words of a call a written sentence rests on; a sentence that rests on none is not shown. Pure. */
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { ReadableSegment } from "../../readable-text.js";

/** Of a sentence's longer words, so many must be in the call. */
const LEAST_KNOWN_SHARE = 0.6;
/** A segment that shares fewer words with a sentence is not what it rests on. */
const LEAST_SHARED = 2;
const MAX_EVIDENCE = 3;
/** Shorter words are in every sentence. */
const LEAST_LETTERS = 4;

/**
 * Where `sentence` comes from: whole segments, the most alike first. Empty when most of its words, or one of its numbers or
 * names, are not in the call: then it is made up.
 */
export function supportOf(sentence: string, segments: readonly ReadableSegment[]): readonly Evidence[] {
  const said = new Set(segments.flatMap(({ text }) => wordsOf(text)));
  const words = [...new Set(wordsOf(sentence).filter((word) => word.length >= LEAST_LETTERS || /\d/u.test(word)))];
  const unknown = words.filter((word) => !said.has(word));
  if (words.length === 0 || unknown.length > words.length * (1 - LEAST_KNOWN_SHARE)) return [];
  if (factsOf(sentence).some((fact) => !said.has(fact))) return [];
  return segments
    .map(({ segment, text }) => ({ segment, shared: sharedCount(words, text) }))
    .filter(({ segment, shared }) => shared >= Math.min(LEAST_SHARED, words.length) && segment.text.trim() !== "")
    .sort((one, other) => other.shared - one.shared)
    .slice(0, MAX_EVIDENCE)
    .map(({ segment }) => toEvidence(segment, 0, segment.text.length));
}

function sharedCount(words: readonly string[], text: string): number {
  const own = new Set(wordsOf(text));
  return words.filter((word) => own.has(word)).length;
}

/** Numbers, and capitalized words that do not begin the sentence. */
function factsOf(sentence: string): readonly string[] {
  const words = sentence.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word, index) => /\d/u.test(word) || (index > 0 && /^\p{Lu}\p{Ll}/u.test(word))).map((word) => word.toLowerCase());
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
