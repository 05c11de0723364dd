/**
 * What linear models look at in an utterance: its words, pairs of them, pieces of words (Swahili puts who, when and whom into
 * the verb), and which words are denied, past, supposed or asked.
 */
import type { SegmentReading } from "../text/call-reading.js";

const SHORTEST_PIECE = 3;
const LONGEST_PIECE = 5;
const SCOPES = ["negated", "past", "hypothetical", "asked"] as const;

/** Each feature once. */
export function utteranceFeatures({ tokens, marks, segment }: SegmentReading): ReadonlySet<string> {
  const words = tokens.map(({ norm }) => norm);
  const features = new Set<string>(["bias", segment.channel === "agent" ? "by agent" : "by caller"]);
  for (const [at, word] of words.entries()) {
    features.add(`w=${word}`);
    if (at + 1 < words.length) features.add(`b=${word} ${words[at + 1]}`);
    if (at + 2 < words.length) features.add(`k=${word} _ ${words[at + 2]}`);
    for (const piece of piecesOf(word)) features.add(piece);
    for (const scope of SCOPES) if (marks[scope][at] === 1) features.add(scope).add(`${scope} ${word}`);
  }
  if (/\?\s*$/.test(segment.text)) features.add("ends in a question");
  return features;
}

/** Runs of letters of a word, with marks for its beginning and end. */
export function piecesOf(word: string): readonly string[] {
  const marked = `^${word}$`;
  const pieces: string[] = [];
  for (let length = SHORTEST_PIECE; length <= LONGEST_PIECE; length++) {
    for (let from = 0; from + length <= marked.length; from++) pieces.push(`c=${marked.slice(from, from + length)}`);
  }
  return pieces;
}
