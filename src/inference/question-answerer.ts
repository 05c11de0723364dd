/** Contract of the `question_answering` task: a span of the transcript that answers a question, or none. */
import type { Evidence } from "../core/evidence.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface QuestionInput {
  readonly segments: readonly TranscriptSegment[];
  /** 1..500 characters. */
  readonly question: string;
}

/** `answer` is null when no passage carries it; otherwise it is the text of `evidence[0]`. */
export interface QuestionOutput {
  readonly answer: string | null;
  /** 0..1 */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}
