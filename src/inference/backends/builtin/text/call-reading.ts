/**
 * A call read for the rules: every segment cut into tokens, numbers and sentences, with what is denied, past, supposed
 * or asked marked per token. All builtin engines work on this reading.
 */
import type { Evidence } from "../../../../core/evidence.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";
import type { NumberLexicon } from "../asset-schemas.js";
import type { ScopeMarks, ScopeReader } from "./scope-reader.js";
import { readText, type TextReading } from "./text-reading.js";

export interface SegmentReading extends TextReading {
  readonly marks: ScopeMarks;
  /** The words of the next segment that say yes to this one's last sentence, or null. */
  readonly confirmation: Evidence | null;
}

export type CallReading = readonly SegmentReading[];

/** Linear models learnt from whole calls; of a few words they know nothing, and rules speak alone. */
const LEAST_WORDS = 40;
const SENTENCE_WORDS = 12;

/** Whether there is enough of a call for a model that learnt from calls. */
export function isLongEnough(call: CallReading): boolean {
  return wordCount(call) >= LEAST_WORDS;
}

/** Whether the caller has said at least a sentence to tell something by. */
export function hasCallerSentence(call: CallReading): boolean {
  return wordCount(call.filter(({ segment }) => segment.channel !== "agent")) >= SENTENCE_WORDS;
}

function wordCount(call: CallReading): number {
  return call.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

export interface CallReader {
  readonly numbers: NumberLexicon;
  readonly scopes: ScopeReader;
}

/** Reads a call; `signal` is checked before every segment. */
export function readCall(segments: readonly TranscriptSegment[], { numbers, scopes }: CallReader, signal: AbortSignal): CallReading {
  const texts = segments.map((segment) => {
    signal.throwIfAborted();
    return readText(segment, numbers);
  });
  return texts.map((text, index) => {
    signal.throwIfAborted();
    const next = texts[index + 1];
    const answered = next !== undefined && (text.segment.channel === "mixed" || next.segment.channel !== "agent");
    return {
      ...text,
      marks: scopes.mark(text),
      confirmation: answered && text.segment.channel !== "caller" ? scopes.affirmation(next) : null,
    };
  });
}
