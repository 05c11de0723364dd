/** Pieces of a call that answer well: clauses of a bounded length, the turn that follows a question, mentions in a turn. */
import type { Evidence } from "../../../../core/evidence.js";
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import { tokenEvidence } from "../text/text-reading.js";
import type { TokenRange } from "../text/tokenizer.js";

/** An answer with how sure it is. */
export interface Fact {
  readonly evidence: Evidence;
  /** 0..1 */
  readonly score: number;
}

/** An unpunctuated clause goes so far before and after the words that make it an answer. */
const WORDS_BEFORE = 3;
const WORDS_AFTER = 9;
const LONGEST_CLAUSE = 16;
const SHORTEST_CLAUSE = 3;

/** Both parties on one channel may be the caller. */
export function isCaller({ segment }: SegmentReading): boolean {
  return segment.channel !== "agent";
}

/** The clause around a token: between commas and stops, or a window where there are none; with its neighbour when it is very short. */
export function clauseAround({ tokens, sentences }: SegmentReading, first: number, end: number): TokenRange {
  const clause = tokens[first]?.clause;
  const sentence = sentences[tokens[first]?.sentence ?? 0] ?? { firstToken: 0, endToken: tokens.length };
  let from = first;
  let to = end;
  while (from > sentence.firstToken && tokens[from - 1]?.clause === clause) from -= 1;
  while (to < sentence.endToken && tokens[to]?.clause === clause) to += 1;
  if (to - from > LONGEST_CLAUSE) {
    from = Math.max(from, first - WORDS_BEFORE);
    to = Math.min(to, Math.max(end, first + WORDS_AFTER));
  }
  if (to - from < SHORTEST_CLAUSE)
    return { firstToken: Math.max(sentence.firstToken, from - LONGEST_CLAUSE / 4), endToken: Math.min(sentence.endToken, to + LONGEST_CLAUSE / 2) };
  return { firstToken: from, endToken: to };
}

/** The next turn of the caller after a turn, where it follows within two. */
export function replyTo(call: CallReading, index: number): SegmentReading | undefined {
  return call.slice(index + 1, index + 3).find((turn) => isCaller(turn) && turn.tokens.length > 0);
}

/** A range of words as evidence; the second half of a contraction takes its first along. */
export function wordsOf(turn: SegmentReading, { firstToken, endToken }: TokenRange): Evidence {
  const joined = firstToken > 0 && turn.tokens[firstToken - 1]?.endOffset === turn.tokens[firstToken]?.startOffset;
  return tokenEvidence(turn, joined ? firstToken - 1 : firstToken, endToken);
}
