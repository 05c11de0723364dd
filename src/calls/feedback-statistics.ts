/** How people judged the models: by task, by label and by model revision. Pure. */
import type { FeedbackTask } from "../core/agent-feedback.js";
import type { FeedbackMark } from "../storage/repositories/agent-feedback-repository.js";

/** Of a set of marks. Means and shares are null where nothing was said. */
export interface Judgement {
  readonly count: number;
  /** 1..5 */
  readonly averageRating: number | null;
  /** Share of those who said whether the model was right; 0..1. */
  readonly agreement: number | null;
}

export interface TaskStatistics extends Judgement {
  /** Results made in the period. */
  readonly totalPredictions: number;
  /** Results of the period that somebody judged. */
  readonly ratedPredictions: number;
  /** 0..1; null when there were no results. */
  readonly ratingCoverage: number | null;
  readonly minRating: number | null;
  readonly maxRating: number | null;
  readonly corrections: number;
  readonly labels: readonly (Judgement & { readonly label: string })[];
  readonly models: readonly (Judgement & { readonly model: string; readonly revision: string })[];
}

/** Of what one person said several times of one item, the last counts. */
export function summarizeFeedback(marks: readonly FeedbackMark[], task: FeedbackTask, totalPredictions: number): TaskStatistics {
  const counted = lastOfEach(marks.filter((mark) => mark.task === task));
  const ratings = counted.flatMap(({ rating }) => rating ?? []);
  const ratedPredictions = new Set(counted.filter(({ isOfOlderResult }) => isOfOlderResult !== true).map(({ taskId }) => taskId)).size;
  return {
    ...judge(counted),
    totalPredictions,
    ratedPredictions,
    ratingCoverage: totalPredictions === 0 ? null : Math.min(1, ratedPredictions / totalPredictions),
    minRating: ratings.length === 0 ? null : Math.min(...ratings),
    maxRating: ratings.length === 0 ? null : Math.max(...ratings),
    corrections: counted.filter(({ isCorrected }) => isCorrected).length,
    labels: groups(counted, ({ predictedLabel }) => predictedLabel).map(([label, members]) => ({ label, ...judge(members) })),
    models: groups(counted, ({ model }) => `${model.id}\n${model.revision}`).map(([key, members]) => {
      const [model = "", revision = ""] = key.split("\n");
      return { model, revision, ...judge(members) };
    }),
  };
}

function lastOfEach(marks: readonly FeedbackMark[]): readonly FeedbackMark[] {
  const last = new Map<string, FeedbackMark>();
  for (const mark of marks) last.set(JSON.stringify([mark.taskId, mark.item, mark.actorId]), mark);
  return [...last.values()];
}

function groups(marks: readonly FeedbackMark[], keyOf: (mark: FeedbackMark) => string | null): readonly (readonly [string, readonly FeedbackMark[]])[] {
  const byKey = new Map<string, FeedbackMark[]>();
  for (const mark of marks) {
    const key = keyOf(mark);
    if (key !== null) byKey.set(key, [...(byKey.get(key) ?? []), mark]);
  }
  return [...byKey].sort(([a], [b]) => a.localeCompare(b));
}

function judge(marks: readonly FeedbackMark[]): Judgement {
  const ratings = marks.flatMap(({ rating }) => rating ?? []);
  const verdicts = marks.flatMap(({ agrees }) => agrees ?? []);
  return {
    count: marks.length,
    averageRating: ratings.length === 0 ? null : ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length,
    agreement: verdicts.length === 0 ? null : verdicts.filter(Boolean).length / verdicts.length,
  };
}
