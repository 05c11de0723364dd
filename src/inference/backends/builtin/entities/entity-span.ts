/**
 * A candidate entity at one place, and the choice between candidates that overlap.
 *
 * Scores are fixed per rule and mean how often we expect the rule to be right: 0.9 an explicit statement ("my name is"),
 * 0.8 an unambiguous list entry or pattern, 0.7 a common word in its usual meaning, 0.6 a rule over neighbouring words.
 */
import type { EntityLabel } from "../../../../core/entity.js";

export interface EntitySpan {
  readonly label: EntityLabel;
  readonly segmentIndex: number;
  /** Tokens `[firstToken, endToken)`. */
  readonly firstToken: number;
  readonly endToken: number;
  readonly score: number;
}

/** Which label wins the same words. */
const PRECEDENCE: Readonly<Record<EntityLabel, number>> = {
  PERPETRATOR: 12,
  VICTIM: 11,
  PHONE_NUMBER: 10,
  NAME: 9,
  ORGANISATION: 8,
  LANDMARK: 7,
  LOCATION: 6,
  AGE: 5,
  DATE_TIME: 4,
  RELATION: 3,
  GENDER: 2,
  INCIDENT_TYPE: 1,
};

/** Keeps non-overlapping spans of one segment: longer first, then by precedence, then the earlier. Sorted by place. */
export function resolveOverlaps(spans: readonly EntitySpan[]): readonly EntitySpan[] {
  const ranked = [...spans].sort(
    (left, right) =>
      right.endToken - right.firstToken - (left.endToken - left.firstToken) ||
      PRECEDENCE[right.label] - PRECEDENCE[left.label] ||
      left.firstToken - right.firstToken,
  );
  const taken = new Set<number>();
  const kept = ranked.filter(({ firstToken, endToken }) => {
    for (let at = firstToken; at < endToken; at += 1) if (taken.has(at)) return false;
    for (let at = firstToken; at < endToken; at += 1) taken.add(at);
    return true;
  });
  return kept.sort((left, right) => left.firstToken - right.firstToken);
}
