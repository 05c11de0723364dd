/** Adds records' scores up to measures, with what chance in the choice of records may have done to them. Pure. */
import type { Measure, RecordScore, Sum } from "./counts.js";
import { SeededRandom } from "./text/seeded-random.js";

export interface MeasuredValue extends Measure {
  /** 95 % bootstrap interval over records. */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

export interface ScoreSheet {
  readonly records: number;
  readonly measures: readonly MeasuredValue[];
  /** Most frequent first. */
  readonly confusions: readonly { readonly wanted: string; readonly given: string; readonly count: number }[];
  /** Those with most faults first. */
  readonly worst: readonly { readonly id: string; readonly faults: readonly string[] }[];
}

const RESAMPLES = 1_000;
const SEED = 7;
const SHOWN_CONFUSIONS = 15;
const MAX_WORST = 10;

/** @param measuresOf - the task's figures from sums of counts */
export function makeScoreSheet(scores: readonly RecordScore[], measuresOf: (sum: Sum) => readonly Measure[]): ScoreSheet {
  const keys = [...new Set(scores.flatMap(({ counts }) => Object.keys(counts)))];
  const at = new Map(keys.map((key, index) => [key, index]));
  const rows = scores.map(({ counts }) => Object.entries(counts).map(([key, count]) => [at.get(key) ?? 0, count] as const));
  const measuresOver = (chosen: Iterable<number>): readonly Measure[] => {
    const sums = new Float64Array(keys.length);
    for (const row of chosen) for (const [index, count] of rows[row] ?? []) sums[index] = (sums[index] ?? 0) + count;
    return measuresOf((key) => sums[at.get(key) ?? -1] ?? 0);
  };
  const measures = measuresOver(rows.keys());
  const intervals = bootstrap(rows.length, measures, measuresOver);
  return {
    records: scores.length,
    measures: measures.map((measure, index) => ({ ...measure, ...intervals[index] })) as readonly MeasuredValue[],
    confusions: countConfusions(scores),
    worst: scores
      .filter(({ faults }) => faults.length > 0)
      .sort((one, other) => other.faults.length - one.faults.length)
      .slice(0, MAX_WORST)
      .map(({ id, faults }) => ({ id, faults })),
  };
}

interface Interval {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

function bootstrap(count: number, measures: readonly Measure[], measuresOver: (chosen: Iterable<number>) => readonly Measure[]): readonly Interval[] {
  const random = new SeededRandom(SEED);
  const drawn = measures.map((): number[] => []);
  const chosen = new Uint32Array(count);
  for (let resample = 0; resample < RESAMPLES; resample++) {
    for (let at = 0; at < count; at++) chosen[at] = random.below(count);
    for (const [index, { value }] of measuresOver(chosen).entries()) if (value !== undefined) drawn[index]?.push(value);
  }
  return drawn.map((values) => {
    const sorted = values.sort((one, other) => one - other);
    const quantile = (share: number): number | undefined => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return { low: quantile(0.025), high: quantile(0.975) };
  });
}

function countConfusions(scores: readonly RecordScore[]): ScoreSheet["confusions"] {
  const counted = new Map<string, { wanted: string; given: string; count: number }>();
  for (const { wanted, given } of scores.flatMap(({ confusions }) => confusions ?? [])) {
    const key = `${wanted}\n${given}`;
    const known = counted.get(key) ?? { wanted, given, count: 0 };
    known.count += 1;
    counted.set(key, known);
  }
  return [...counted.values()].sort((one, other) => other.count - one.count).slice(0, SHOWN_CONFUSIONS);
}
