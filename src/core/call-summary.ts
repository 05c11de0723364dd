/** A summary of a call: sentences, each tied to the words it rests on. */
import type { Evidence } from "./evidence.js";

export interface SummarySentence {
  readonly text: string;
  readonly evidence: readonly Evidence[];
}

/** `text` is the sentences joined by a blank; empty when there was not enough to say. */
export interface CallSummary {
  readonly text: string;
  readonly sentences: readonly SummarySentence[];
}
