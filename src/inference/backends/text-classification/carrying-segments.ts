/** The segments that carried a decision: those that say it by themselves. Pure. */
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { ReadableSegment } from "../../readable-text.js";

/** Longer calls are looked through where they are richest. */
const MAX_SEGMENTS = 48;
const MAX_EVIDENCE = 2;
/** Of the strongest. */
const LEAST_SHARE = 0.6;
const LEAST_CHARACTERS = 8;

/** Where evidence is looked for: what the caller says, longest first; of an unknown voice, all. */
export function evidenceCandidates(readable: readonly ReadableSegment[]): readonly ReadableSegment[] {
  const long = readable.filter(({ text }) => text.trim().length >= LEAST_CHARACTERS);
  const told = long.filter(({ segment }) => segment.channel !== "agent");
  return [...(told.length > 0 ? told : readable)].sort((one, other) => other.text.length - one.text.length).slice(0, MAX_SEGMENTS);
}

/** @param scores - of each candidate, how much it says what was decided */
export function carryingEvidence(candidates: readonly ReadableSegment[], scores: readonly number[]): readonly Evidence[] {
  const highest = Math.max(...scores);
  return candidates
    .map(({ segment }, index) => ({ segment, score: scores[index] ?? 0 }))
    .filter(({ score, segment }) => score >= highest * LEAST_SHARE && segment.text.trim() !== "")
    .sort((one, other) => other.score - one.score)
    .slice(0, MAX_EVIDENCE)
    .map(({ segment }) => toEvidence(segment, 0, segment.text.length));
}
