/** Which words of a segment speak most for a label: the evidence of a linear model. */
import type { Evidence } from "../../../../core/evidence.js";
import type { SegmentReading } from "../text/call-reading.js";
import { tokenEvidence } from "../text/text-reading.js";

const MOST_WORDS = 6;

export interface WeightyRun {
  readonly gain: number;
  readonly evidence: Evidence;
}

/** The run of up to six words with the highest sum; undefined for a segment without words. @param gainOf - how much a word speaks for it */
export function weightiestRun(reading: SegmentReading, gainOf: (word: string) => number): WeightyRun | undefined {
  const gains = reading.tokens.map(({ norm }) => gainOf(norm));
  let best: { first: number; end: number; gain: number } | undefined;
  for (let first = 0; first < gains.length; first++) {
    let gain = 0;
    for (let end = first + 1; end <= Math.min(first + MOST_WORDS, gains.length); end++) {
      gain += gains[end - 1] ?? 0;
      if (best === undefined || gain > best.gain) best = { first, end, gain };
    }
  }
  return best === undefined ? undefined : { gain: best.gain, evidence: tokenEvidence(reading, best.first, best.end) };
}
