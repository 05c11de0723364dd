/** What somebody answers in a few words to a question that asks for it. */
import type { SegmentReading } from "../text/call-reading.js";
import type { PhraseMatcher } from "../text/phrase-matcher.js";

/** @returns the words of the answer's first sentence; none where nobody asked, or where it has more words than an answer */
export function shortAnswer(
  reading: SegmentReading,
  { asked, questions, longest }: { readonly asked: SegmentReading | undefined; readonly questions: PhraseMatcher<true>; readonly longest: number },
): SegmentReading["tokens"] {
  if (asked === undefined || questions.findAll(asked).length === 0) return [];
  const first = reading.tokens.filter(({ sentence }) => sentence === 0);
  return first.length > longest ? [] : first;
}
