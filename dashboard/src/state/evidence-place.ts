/** Finds the words a claim rests on in the transcript as it stands now, which may have been heard anew since the claim was made. */
import type { Evidence, Segment } from "../wire/call-shapes.js";

/** A line, and the words in it when they are there: UTF-16 units, half-open. */
export interface EvidencePlace {
  readonly segmentId: string;
  readonly startOffset?: number;
  readonly endOffset?: number;
}

/** @returns undefined when nothing was said on that channel at that time any more. */
export function findEvidence(segments: ReadonlyMap<string, Segment>, evidence: Evidence): EvidencePlace | undefined {
  const { segment_id: segmentId, start_offset: startOffset, end_offset: endOffset, text } = evidence;
  const named = segments.get(segmentId);
  if (named !== undefined && named.text.slice(startOffset, endOffset) === text) return { segmentId, startOffset, endOffset };
  const candidates = [...segments.values()].filter((segment) => isBeside(segment, evidence));
  for (const candidate of candidates) {
    const found = text === "" ? -1 : candidate.text.indexOf(text);
    if (found >= 0) return { segmentId: candidate.id, startOffset: found, endOffset: found + text.length };
  }
  const nearest = candidates.sort((one, other) => overlapMs(other, evidence) - overlapMs(one, evidence))[0];
  return nearest === undefined ? undefined : { segmentId: nearest.id };
}

function isBeside(segment: Segment, evidence: Evidence): boolean {
  return segment.channel === evidence.channel && overlapMs(segment, evidence) >= 0;
}

function overlapMs(segment: Segment, evidence: Evidence): number {
  return Math.min(segment.end_ms, evidence.end_ms) - Math.max(segment.start_ms, evidence.start_ms);
}
