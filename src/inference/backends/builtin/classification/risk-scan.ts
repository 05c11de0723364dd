/** Finds signs of danger in a call that has been read; shared by the risk engine and the priority of the classifier. */
import { PRIORITIES, type Priority } from "../../../../core/case-classification.js";
import type { Evidence } from "../../../../core/evidence.js";
import { RISK_KINDS, type RiskFinding, type RiskKind } from "../../../../core/risk.js";
import { ruleScore } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading } from "../text/call-reading.js";
import { type Cue, dropContained, findCues } from "../text/cue-finder.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";

interface RiskCue {
  readonly kind: RiskKind;
  readonly level: Priority;
}

const MAX_EVIDENCE = 6;
/** How sure one sign is: said outright, or asked by the counsellor and confirmed by the caller. */
const STANDING_SCORE = { stated: 0.75, confirmed: 0.7 } as const;
const TENSE_FACTOR = { present: 1, past: 0.8, hypothetical: 0.6 } as const;
const SCORE_PER_FURTHER_SIGN = 0.05;

export class RiskScan {
  readonly #matcher: PhraseMatcher<RiskCue>;
  readonly #scopes: ScopeReader;

  constructor({ risks }: BuiltinAssets, scopes: ScopeReader) {
    this.#scopes = scopes;
    this.#matcher = new PhraseMatcher(
      risks.kinds.flatMap(({ kind, levels }) =>
        PRIORITIES.flatMap((level) => {
          const payload = { kind, level };
          return allPhrases(levels[level] ?? {}).map((phrase) => ({ phrase, payload }));
        }),
      ),
    );
  }

  /**
   * One finding per kind, highest level first. What is denied, or asked and not confirmed, raises nothing; neither does
   * what only the counsellor says. Past and supposed signs count one level lower.
   */
  find(call: CallReading, signal: AbortSignal): readonly RiskFinding[] {
    const cues = findCues(call, this.#matcher, { scopes: this.#scopes, signal }).filter(isSign);
    const findings = RISK_KINDS.flatMap((kind) => {
      const signs = cues.filter((cue) => cue.payload.kind === kind);
      return signs.length === 0 ? [] : [findingOf(kind, signs)];
    });
    return findings.sort((left, right) => PRIORITIES.indexOf(right.level) - PRIORITIES.indexOf(left.level));
  }
}

function isSign({ standing, evidence }: Cue<RiskCue>): boolean {
  return standing === "confirmed" || (standing === "stated" && evidence.channel !== "agent");
}

function findingOf(kind: RiskKind, signs: readonly Cue<RiskCue>[]): RiskFinding {
  const distinct = dropContained(signs, ({ level }) => level);
  const level = Math.max(...signs.map(levelOf));
  const best = Math.max(...signs.map(scoreOf));
  const words = new Set(distinct.map(({ evidence }) => evidence.text.toLowerCase()));
  const shown = dropContained(distinct, () => kind);
  const evidence = uniqueEvidence(shown.flatMap((cue) => (cue.confirmation === null ? [cue.evidence] : [cue.evidence, cue.confirmation])));
  return {
    kind,
    level: PRIORITIES[level] ?? "low",
    score: ruleScore(best + SCORE_PER_FURTHER_SIGN * (words.size - 1)),
    evidence: evidence.slice(0, MAX_EVIDENCE),
    atMs: evidence[0]?.startMs ?? 0,
  };
}

function levelOf({ payload, tense }: Cue<RiskCue>): number {
  return Math.max(0, PRIORITIES.indexOf(payload.level) - (tense === "present" ? 0 : 1));
}

function scoreOf({ standing, tense }: Cue<RiskCue>): number {
  return (standing === "confirmed" ? STANDING_SCORE.confirmed : STANDING_SCORE.stated) * TENSE_FACTOR[tense];
}

/** Leaves out evidence given twice; keeps the order. */
export function uniqueEvidence(evidence: readonly Evidence[]): readonly Evidence[] {
  const seen = new Set<string>();
  return evidence.filter(({ segmentId, startOffset, endOffset }) => {
    const key = `${segmentId}:${startOffset}:${endOffset}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
