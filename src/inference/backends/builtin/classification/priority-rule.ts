/** Decides how urgent a call is, from its risks, its category and words of urgency; a named level, never a number. */
import { ABSTAINED, type ContactType, type LabelDecision, PRIORITIES, type Priority } from "../../../../core/case-classification.js";
import type { Evidence } from "../../../../core/evidence.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading } from "../text/call-reading.js";
import { findCues } from "../text/cue-finder.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";
import { type RiskScan, uniqueEvidence } from "./risk-scan.js";

export interface PriorityContext {
  readonly contactType: LabelDecision<ContactType>;
  readonly subCategory: LabelDecision;
  readonly signal: AbortSignal;
}

interface Vote {
  readonly level: Priority;
  readonly evidence: readonly Evidence[];
}

/** Risks below this score (supposed ones) do not raise the priority. */
const MIN_RISK_SCORE = 0.5;
const AGREED_SCORE = 0.8;
const SINGLE_SCORE = 0.6;

export class PriorityRule {
  readonly #scopes: ScopeReader;
  readonly #risks: RiskScan;
  readonly #levels: PhraseMatcher<{ readonly level: Priority }>;
  readonly #categoryLevels: ReadonlyMap<string, Priority>;

  constructor(assets: BuiltinAssets, scopes: ScopeReader, risks: RiskScan) {
    this.#scopes = scopes;
    this.#risks = risks;
    this.#levels = new PhraseMatcher(
      PRIORITIES.flatMap((level) => {
        const payload = { level };
        return allPhrases(assets.priorities.levels[level] ?? {}).map((phrase) => ({ phrase, payload }));
      }),
    );
    this.#categoryLevels = new Map(assets.categories.categories.map(({ label, priority }) => [label, priority]));
  }

  /** The highest level any of the three votes for; none votes, no label. */
  decide(call: CallReading, { contactType, subCategory, signal }: PriorityContext): LabelDecision<Priority> {
    const risks: readonly Vote[] = this.#risks
      .find(call, signal)
      .filter(({ score }) => score >= MIN_RISK_SCORE)
      .map(({ level, evidence }) => ({ level, evidence }));
    const words: readonly Vote[] = findCues(call, this.#levels, { scopes: this.#scopes, signal })
      .filter(({ standing, evidence }) => standing === "stated" && evidence.channel !== "agent")
      .map(({ payload, evidence }) => ({ level: payload.level, evidence: [evidence] }));
    const categoryLevel = subCategory.label === null ? undefined : this.#categoryLevels.get(subCategory.label);
    const category: readonly Vote[] = categoryLevel === undefined ? [] : [{ level: categoryLevel, evidence: subCategory.evidence }];
    const contact: readonly Vote[] = contactType.label === "information" ? [{ level: "low", evidence: contactType.evidence }] : [];
    const votes = [...risks, ...words, ...category, ...contact];
    const top = Math.max(...votes.map(({ level }) => PRIORITIES.indexOf(level)));
    const label = PRIORITIES[top];
    if (label === undefined) return ABSTAINED;
    const agreeing = votes.filter(({ level }) => level === label);
    return {
      label,
      score: agreeing.length > 1 ? AGREED_SCORE : SINGLE_SCORE,
      evidence: uniqueEvidence(agreeing.flatMap(({ evidence }) => evidence)),
    };
  }
}
