/**
 * Danger in one utterance by a linear model that was trained on labelled utterances: whether there is any, of which kinds,
 * how grave, and which words say so. What the cue phrases found is among what it looks at.
 */
import { isMoreUrgent, type Priority } from "../../../../core/case-classification.js";
import type { Evidence } from "../../../../core/evidence.js";
import { RISK_KINDS, type RiskFinding, type RiskKind } from "../../../../core/risk.js";
import { ruleScore } from "../builtin-engine.js";
import type { LinearModel } from "../linear/linear-weights.js";
import { LogisticModel } from "../linear/logistic-model.js";
import { piecesOf, utteranceFeatures } from "../linear/text-features.js";
import { weightiestRun } from "../linear/weighty-words.js";
import type { SegmentReading } from "../text/call-reading.js";
import type { ScopeReader } from "../text/scope-reader.js";

/** Chosen on five folds, see docs/quality.md: below the first nothing is said, from the last on alarm is raised. */
const LIKELY = 0.12;
const SURE = 0.985;
/** From here on what a cue phrase says is believed. */
const TRUSTED = 0.75;
const KIND = 0.5;
/** Of fewer words without a cue the model makes too much, and of a cue among them too little. */
const LEAST_WORDS = 6;
/** From here on it is believed of those, and of denials, that there is something. */
const LIKELY_OF_LITTLE = 0.3;
/** Of the words: an utterance that denies so many says that there is no danger. */
const DENIED_SHARE = 0.3;
const GRAVE = 0.5;

export class RiskReader {
  readonly #model: LogisticModel;
  readonly #scopes: ScopeReader;

  constructor(model: LinearModel, scopes: ScopeReader) {
    this.#model = new LogisticModel(model);
    this.#scopes = scopes;
  }

  /** @param ruled - what the cue phrases found in this utterance alone */
  read(reading: SegmentReading, ruled: readonly RiskFinding[]): readonly RiskFinding[] {
    const shares = this.#model.shares(riskFeatures(reading, ruled));
    const danger = shares.get("danger") ?? 0;
    const isShort = reading.tokens.length < LEAST_WORDS;
    const kept = ruled.map((finding) => ({ ...finding, level: atMost(finding.level, danger, isShort ? LIKELY : TRUSTED) }));
    if (danger < LIKELY) return kept;
    const isWeak = ruled.length === 0 && (isShort || this.#isMostlyDenied(reading));
    const level = isWeak ? levelOfLittle(danger) : levelOf(danger, shares);
    const own = RISK_KINDS.map((kind) => [kind, shares.get(kind) ?? 0] as const)
      .sort(([, one], [, other]) => other - one)
      .filter(([kind, share], index) => (index === 0 || share >= KIND) && !kept.some((finding) => finding.kind === kind))
      .flatMap(([kind]): readonly RiskFinding[] => {
        const evidence = this.#evidence(reading, kind);
        return evidence === undefined ? [] : [{ kind, level, score: ruleScore(danger), evidence: [evidence], atMs: evidence.startMs }];
      });
    return [...kept.map((finding) => (isMoreUrgent(level, finding.level) ? { ...finding, level } : finding)), ...own];
  }

  #isMostlyDenied({ marks, tokens }: SegmentReading): boolean {
    const denied = tokens.filter(({ norm }, at) => marks.negated[at] === 1 || this.#scopes.isNegatedVerb(norm)).length;
    return denied >= DENIED_SHARE * tokens.length;
  }

  #evidence(reading: SegmentReading, kind: RiskKind): Evidence | undefined {
    const gainOf = (word: string): number =>
      [`w=${word}`, ...piecesOf(word)].reduce((sum, feature) => sum + this.#model.weight(feature, "danger") + this.#model.weight(feature, kind), 0);
    return weightiestRun(reading, gainOf)?.evidence;
  }
}

/** What the model looks at. */
export function riskFeatures(reading: SegmentReading, ruled: readonly RiskFinding[]): ReadonlySet<string> {
  const features = new Set(utteranceFeatures(reading));
  for (const { kind, level } of ruled) features.add("rule").add(`rule=${kind}`).add(`rule=${kind} ${level}`).add(`rule level ${level}`);
  return features;
}

/** A cue phrase alone raises alarm where the other words do not speak against it: "the film where they kill" does. */
function atMost(level: Priority, danger: number, trusted: number): Priority {
  if (danger >= trusted) return level;
  const most = danger >= LIKELY ? "medium" : "low";
  return isMoreUrgent(level, most) ? most : level;
}

function levelOfLittle(danger: number): Priority {
  return danger < LIKELY_OF_LITTLE ? "low" : "medium";
}

function levelOf(danger: number, shares: ReadonlyMap<string, number>): Priority {
  if (danger < SURE) return "medium";
  if ((shares.get("critical") ?? 0) >= GRAVE) return "critical";
  return (shares.get("grave") ?? 0) >= GRAVE ? "high" : "medium";
}
