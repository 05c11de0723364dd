/**
 * Judges from times alone whether the counsellor spoke into the caller's speech. A short word of listening ("mm", "yes")
 * is no interruption; without times that differ, or with too few caller turns, there is not enough evidence.
 */
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { QualityMark } from "../../../../core/quality-score.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";

const MIN_OVERLAP_MS = 800;
const MIN_CALLER_TURNS = 3;
const LONGEST_LISTENING_WORDS = 3;

export interface InterruptionVerdict {
  readonly mark: QualityMark;
  readonly evidence: readonly Evidence[];
}

/** `segments` in time order, caller and agent on their own channels. */
export function judgeInterruption(segments: readonly TranscriptSegment[]): InterruptionVerdict {
  const spoken = segments.filter(({ text, startMs, endMs }) => text.trim() !== "" && endMs > startMs);
  const caller = spoken.filter(({ channel }) => channel === "caller");
  const agent = spoken.filter(({ channel, text }) => channel === "agent" && text.trim().split(/\s+/).length > LONGEST_LISTENING_WORDS);
  if (caller.length < MIN_CALLER_TURNS || agent.length === 0) return { mark: "not_enough_evidence", evidence: [] };
  let from = 0;
  for (const turn of caller) {
    while ((agent[from]?.startMs ?? Number.POSITIVE_INFINITY) < turn.startMs + MIN_OVERLAP_MS) from += 1;
    const intruder = agent[from];
    if (intruder !== undefined && intruder.startMs <= turn.endMs - MIN_OVERLAP_MS) {
      return { mark: "not_met", evidence: [wholeOf(turn), wholeOf(intruder)] };
    }
  }
  const longest = caller.reduce((best, turn) => (turn.endMs - turn.startMs > best.endMs - best.startMs ? turn : best));
  return { mark: "met", evidence: [wholeOf(longest)] };
}

function wholeOf(segment: TranscriptSegment): Evidence {
  return toEvidence(segment, 0, segment.text.length);
}
