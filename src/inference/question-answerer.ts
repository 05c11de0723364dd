/** Contract of the `question_answering` task: a span of the transcript that answers a question, or none. */
import type { AnswerKind } from "../core/case/case-answer.js";
import type { Entity } from "../core/entity.js";
import type { Evidence } from "../core/evidence.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface QuestionInput {
  readonly segments: readonly TranscriptSegment[];
  /** 1..500 characters. */
  readonly question: string;
  /** What the question is about, where somebody has said so; engines that read questions may do without. */
  readonly kind?: AnswerKind;
  /** Found before, so that they need not be found again. */
  readonly entities?: readonly Entity[];
}

/** `answer` is null when no passage carries it; otherwise it is the text of `evidence[0]`. */
export interface QuestionOutput {
  readonly answer: string | null;
  /** 0..1 */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}
