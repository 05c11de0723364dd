/** Counts that add up: what one record's answer came to, and measures that are made of sums of them. Pure. */

export type Counts = Readonly<Record<string, number>>;

/** What one record's answer came to. */
export interface RecordScore {
  readonly id: string;
  readonly counts: Counts;
  /** What was wrong, a line each, for a person to look at. */
  readonly faults: readonly string[];
  /** What was asked for and what came instead, for the table of confusions. */
  readonly confusions?: readonly { readonly wanted: string; readonly given: string }[];
}

/** One figure. `value` is undefined where nothing was there to measure. */
export interface Measure {
  readonly name: string;
  readonly value: number | undefined;
  /** How many cases the figure rests on. */
  readonly cases: number;
}

export type Sum = (key: string) => number;

export function quotient(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

/** Precision, recall and F1 of what was found rightly, found wrongly and missed. */
export function foundMeasures(
  name: string,
  { right, wrong, missed }: { readonly right: number; readonly wrong: number; readonly missed: number },
): readonly Measure[] {
  return [
    { name: `${name} F1`, value: quotient(2 * right, 2 * right + wrong + missed), cases: right + missed },
    { name: `${name} precision`, value: quotient(right, right + wrong), cases: right + wrong },
    { name: `${name} recall`, value: quotient(right, right + missed), cases: right + missed },
  ];
}

/** Adds to a count in the making. */
export function tally(counts: Record<string, number>, key: string, by = 1): void {
  counts[key] = (counts[key] ?? 0) + by;
}
