/** What counsellors and supervisors say of results: a rating, a correction, or both; kept as it was said. */
import type { ModelRevision } from "./model-task.js";

/** Wire names of the tasks feedback is given on, as older clients have them. */
export const FEEDBACK_TASKS = ["transcription", "translation", "ner", "classification", "risk", "summarization", "qa"] as const;
export type FeedbackTask = (typeof FEEDBACK_TASKS)[number];

/** Corrected to a label of a closed list, or to other words. */
export interface FeedbackCorrection {
  readonly label?: string;
  readonly text?: string;
}

export interface AgentFeedback {
  readonly feedbackId: string;
  readonly callId: string;
  readonly taskId: string;
  readonly task: FeedbackTask;
  /** Which part of the result; null: all of it. See docs/feedback.md. */
  readonly item: string | null;
  /** 1 (wrong) to 5 (right); null: only corrected. */
  readonly rating: number | null;
  readonly reason: string | null;
  readonly correction: FeedbackCorrection | null;
  /** What the model had said of the item. */
  readonly predictedLabel: string | null;
  readonly predictedText: string | null;
  /** True: the model was right; false: it was not; null: a middling rating says neither. */
  readonly agrees: boolean | null;
  readonly model: ModelRevision;
  readonly actorId: string;
  readonly createdAtMs: number;
}

/** From 4 of 5 on a rating without a correction says the model was right; up to 2, that it was not. */
const AGREEING_RATING = 4;
const DISAGREEING_RATING = 2;

/** Whether feedback says that the model was right. A correction counts before a rating. */
export function agreesWithModel(said: Pick<AgentFeedback, "rating" | "correction" | "predictedLabel" | "predictedText">): boolean | null {
  const { rating, correction, predictedLabel, predictedText } = said;
  if (correction !== null) {
    const isSameLabel = correction.label === undefined || correction.label === predictedLabel;
    const isSameText = correction.text === undefined || correction.text === predictedText;
    return isSameLabel && isSameText;
  }
  if (rating === null) return null;
  if (rating >= AGREEING_RATING) return true;
  return rating <= DISAGREEING_RATING ? false : null;
}
