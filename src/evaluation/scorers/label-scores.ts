/**
 * One label of several, where "not enough evidence" is an answer: how often it is right (`accuracy`, an abstention counts as
 * wrong), `macro F1` over the labels the data use, `precision` of what was answered, `answered` (the share), `ECE`
 * (expected calibration error, ten bins, of what was answered).
 */
import { type Measure, quotient, type Sum, tally } from "../counts.js";

export interface GivenLabel {
  readonly label: string | null;
  /** 0..1 */
  readonly score: number;
}

const BINS = 10;

/** Adds the counts of one decision. */
export function scoreLabel(counts: Record<string, number>, name: string, wanted: string | null, given: GivenLabel): void {
  tally(counts, `${name} cases`);
  const isRight = given.label === wanted;
  if (isRight) tally(counts, `${name} right`);
  if (wanted !== null) tally(counts, `${name} of ${wanted} ${isRight ? "right" : "missed"}`);
  if (given.label === null) return;
  tally(counts, `${name} answered`);
  if (isRight) tally(counts, `${name} answered right`);
  else tally(counts, `${name} of ${given.label} wrong`);
  const bin = Math.min(BINS - 1, Math.floor(given.score * BINS));
  tally(counts, `${name} bin ${bin} score`, given.score);
  tally(counts, `${name} bin ${bin} right`, isRight ? 1 : 0);
}

/** @param labels - those the data use */
export function labelMeasures(name: string, labels: readonly string[]): (sum: Sum) => readonly Measure[] {
  return (sum) => {
    const [cases, answered] = [sum(`${name} cases`), sum(`${name} answered`)];
    const f1 = labels.map((label) => {
      const [right, wrong, missed] = ["right", "wrong", "missed"].map((outcome) => sum(`${name} of ${label} ${outcome}`)) as [number, number, number];
      return right + missed === 0 ? undefined : (2 * right) / (2 * right + wrong + missed);
    });
    const used = f1.filter((value) => value !== undefined);
    let gap = 0;
    for (let bin = 0; bin < BINS; bin++) gap += Math.abs(sum(`${name} bin ${bin} score`) - sum(`${name} bin ${bin} right`));
    return [
      { name: `${name} accuracy`, value: quotient(sum(`${name} right`), cases), cases },
      {
        name: `${name} macro F1`,
        value: quotient(
          used.reduce((total, value) => total + value, 0),
          used.length,
        ),
        cases,
      },
      { name: `${name} precision`, value: quotient(sum(`${name} answered right`), answered), cases: answered },
      { name: `${name} answered`, value: quotient(answered, cases), cases },
      { name: `${name} ECE`, value: quotient(gap, answered), cases: answered },
    ];
  };
}
