/** Adds up weighted cues per label. */
import type { Evidence } from "../../../../core/evidence.js";
import { ruleScore } from "../builtin-engine.js";
import { type Cue, dropContained, isInside } from "../text/cue-finder.js";
import type { WeightedCue } from "../text/lexicon-phrases.js";
import { uniqueEvidence } from "./risk-scan.js";

export interface LabelTotal<Label extends string> {
  readonly label: Label;
  readonly weight: number;
  readonly evidence: readonly Evidence[];
}

/** Weight of a cue by how it stands; the counsellor's own statements tell little of the caller's case. */
const TENSE_FACTOR = { present: 1, past: 0.6, hypothetical: 0.4 } as const;
const CONFIRMED_FACTOR = 0.8;
const AGENT_FACTOR = 0.25;
/** The same words again add this much of their weight: a repetition is emphasis, not a second fact. */
const REPEAT_FACTOR = 0.25;
/** A cue inside a longer one of another label is the weaker reading ("my husband beats me" over "beats me"). */
const COVERED_FACTOR = 0.3;
const MAX_EVIDENCE = 8;

/** Whose statements count in full. */
export type Speaker = "caller" | "agent";

/** Totals by label, heaviest first; equal ones keep the order of first mention. */
export function tallyLabels<Label extends string>(cues: readonly Cue<WeightedCue<Label>>[], speaker: Speaker): readonly LabelTotal<Label>[] {
  const counted = dropContained(
    cues.filter(({ standing }) => standing === "stated" || standing === "confirmed"),
    ({ label }) => label,
  );
  const bySegment = groupBySegment(counted);
  const totals = new Map<Label, { weight: number; evidence: Evidence[]; seen: Set<string> }>();
  for (const cue of counted) {
    const { label } = cue.payload;
    const total = totals.get(label) ?? { weight: 0, evidence: [], seen: new Set<string>() };
    totals.set(label, total);
    const words = cue.evidence.text.toLowerCase();
    const covered = (bySegment.get(cue.segmentIndex) ?? []).some((other) => isInside(cue, other));
    const factors = [
      TENSE_FACTOR[cue.tense],
      cue.standing === "confirmed" && speaker === "caller" ? CONFIRMED_FACTOR : speakerFactor(cue, speaker),
      total.seen.has(words) ? REPEAT_FACTOR : 1,
      covered ? COVERED_FACTOR : 1,
    ];
    total.weight += factors.reduce((product, factor) => product * factor, cue.payload.weight);
    total.seen.add(words);
    total.evidence.push(cue.evidence);
  }
  return [...totals]
    .map(([label, { weight, evidence }]) => ({
      label,
      weight,
      evidence: uniqueEvidence(evidence).slice(0, MAX_EVIDENCE),
    }))
    .filter(({ weight }) => weight > 0)
    .sort((left, right) => right.weight - left.weight);
}

/** A score that grows with the weight and falls with a close rival: how clear the choice is, not a probability. */
export function clarityScore(weight: number, rival: number): number {
  return ruleScore((weight / (weight + 2)) * (0.5 + 0.5 * (weight / (weight + rival))));
}

function speakerFactor<Label extends string>({ evidence }: Cue<WeightedCue<Label>>, speaker: Speaker): number {
  if (evidence.channel === "mixed" || evidence.channel === speaker) return 1;
  return speaker === "agent" ? 0 : AGENT_FACTOR;
}

function groupBySegment<T>(cues: readonly Cue<T>[]): ReadonlyMap<number, readonly Cue<T>[]> {
  const groups = new Map<number, Cue<T>[]>();
  for (const cue of cues) {
    const group = groups.get(cue.segmentIndex);
    if (group === undefined) groups.set(cue.segmentIndex, [cue]);
    else group.push(cue);
  }
  return groups;
}
