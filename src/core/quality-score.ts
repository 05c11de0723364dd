/** Call-quality marks against a rubric. A mark without enough evidence says so instead of guessing. */
import type { Evidence } from "./evidence.js";

export const QUALITY_MARKS = ["met", "not_met", "not_enough_evidence"] as const;
export type QualityMark = (typeof QUALITY_MARKS)[number];

export interface QualityItem {
  readonly item: string;
  readonly mark: QualityMark;
  /** 0..1; 0 when the mark is `not_enough_evidence`. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

export interface QualityHead {
  readonly head: string;
  readonly items: readonly QualityItem[];
}

export interface QualityScore {
  readonly heads: readonly QualityHead[];
}
