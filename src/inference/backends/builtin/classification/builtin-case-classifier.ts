/**
 * The builtin `classification` engine: weighted cues choose a sub-category, and linear models weigh their choice with all
 * other words; below the threshold it abstains. To the cues, counsellor questions and denials count for nothing.
 */
import { ABSTAINED, type CaseClassification, type ContactType, type LabelDecision } from "../../../../core/case-classification.js";
import type { RiskFinding } from "../../../../core/risk.js";
import type { ClassificationInput, ClassificationOutput } from "../../../case-classifier.js";
import type { ModelEngine } from "../../../model-engine.js";
import { checkSegments, describeBuiltin } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { type CallReading, hasCallerSentence, isLongEnough, readCall } from "../text/call-reading.js";
import { findCues } from "../text/cue-finder.js";
import { type WeightedCue, weightedEntries } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { ScopeReader } from "../text/scope-reader.js";
import { CaseReader, type ReadCase } from "./case-reader.js";
import { ContactTypeRule } from "./contact-type-rule.js";
import { type HelplineLabels, toHelplineLabels } from "./helpline-labels.js";
import { clarityScore, type LabelTotal, tallyLabels } from "./label-tally.js";
import { PriorityRule } from "./priority-rule.js";
import { RiskFinder } from "./risk-finder.js";
import { RiskScan, uniqueEvidence } from "./risk-scan.js";
import { TopicReader } from "./topic-reader.js";

/** The graver of two matters in one call is the case. */
const GRAVITY = { low: 1, medium: 1, high: 1.1, critical: 1.25 } as const;

const NO_CASE = { mainCategory: ABSTAINED, subCategory: ABSTAINED, priority: ABSTAINED } as const;

function isNoCase({ label }: LabelDecision<ContactType>): boolean {
  return label === "silent" || label === "prank" || label === "wrong_number";
}

/** A prank or a wrong number can wait, unless something in it sounds like danger. Of a caller who says nothing nobody can tell. */
function withPriority(classification: CaseClassification, risks: readonly RiskFinding[]): CaseClassification {
  const { label, score, evidence } = classification.contactType;
  const canWait = (label === "prank" || label === "wrong_number") && risks.every(({ level }) => level === "low");
  return canWait ? { ...classification, priority: { label: "low", score, evidence } } : classification;
}

export class BuiltinCaseClassifier implements ModelEngine<"classification"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #categories: PhraseMatcher<WeightedCue>;
  readonly #interventions: PhraseMatcher<WeightedCue>;
  readonly #contactTypes: ContactTypeRule;
  readonly #priorities: PriorityRule;
  readonly #reader: CaseReader;
  readonly #risks: RiskFinder;
  readonly #mainOf: ReadonlyMap<string, string>;
  readonly #gravityOf: ReadonlyMap<string, number>;

  readonly #labels: HelplineLabels | undefined;

  /** @param labels - a helpline's own; absent: the builtin ones */
  constructor(assets: BuiltinAssets, revision: string, labels?: HelplineLabels) {
    this.#labels = labels;
    this.description = describeBuiltin("classification", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    const { categories, interventions, taxonomy } = assets;
    this.#categories = new PhraseMatcher(categories.categories.flatMap(({ label, cues }) => weightedEntries(label, cues, categories.weights)));
    this.#interventions = new PhraseMatcher(interventions.interventions.flatMap(({ label, cues }) => weightedEntries(label, cues, interventions.weights)));
    this.#contactTypes = new ContactTypeRule(assets, this.#scopes);
    const scan = new RiskScan(assets, this.#scopes);
    this.#priorities = new PriorityRule(assets, this.#scopes, scan);
    this.#risks = new RiskFinder(assets, this.#scopes, scan);
    this.#mainOf = new Map(taxonomy.main_categories.flatMap((main) => main.sub_categories.map((sub) => [sub, main.label] as const)));
    this.#reader = new CaseReader(assets.caseModel, new TopicReader(assets.topicModel, this.#mainOf));
    this.#gravityOf = new Map(categories.categories.map(({ label, priority }) => [label, GRAVITY[priority]]));
  }

  async run(input: ClassificationInput, { signal }: { readonly signal: AbortSignal }): Promise<ClassificationOutput> {
    checkSegments(input.segments);
    const call = this.readCall(input.segments, signal);
    const ruled = this.rule(call, signal);
    const read = { call, ruled, risks: this.#risks.find(call, signal) };
    const classification = withPriority(isLongEnough(call) ? this.#weigh(read) : this.#weighEarly(read), read.risks);
    return { classification: this.#labels === undefined ? classification : toHelplineLabels(classification, this.#labels) };
  }

  /** A call as the rules and the model read it. */
  readCall(segments: ClassificationInput["segments"], signal: AbortSignal): CallReading {
    return readCall(segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
  }

  /** The dangers that the model looks at. */
  risks(call: CallReading, signal: AbortSignal): readonly RiskFinding[] {
    return this.#risks.find(call, signal);
  }

  /** What is no case has no category, and no priority by the model. */
  #weigh(input: ReadCase): CaseClassification {
    const read = this.#reader.read(input, this.#mainOf);
    return isNoCase(read.contactType) ? { ...read, ...NO_CASE } : read;
  }

  /**
   * A few sentences: the cue phrases answer, and the model where it is sure of what they are about. It learnt from cases alone and
   * finds one in small talk, so something else must say first that there is one.
   */
  #weighEarly(input: ReadCase): CaseClassification {
    const { call, ruled, risks } = input;
    const isCase = ruled.contactType.label === null ? risks.some(({ level }) => level !== "low") : !isNoCase(ruled.contactType);
    if (!isCase || !hasCallerSentence(call)) return ruled;
    const topic = this.#reader.readEarly(input, this.#mainOf);
    return topic.mainCategory.label === null ? ruled : { ...ruled, ...topic };
  }

  /** By the cue phrases alone. */
  rule(call: CallReading, signal: AbortSignal): CaseClassification {
    const context = { scopes: this.#scopes, signal };
    const totals = this.#weighByGravity(tallyLabels(findCues(call, this.#categories, context), "caller"));
    const subCategory = this.#decide(totals, this.#assets.categories.threshold);
    const informationWeight = totals.find(({ label }) => this.#mainOf.get(label) === "Information")?.weight ?? 0;
    const caseTotal = totals.find(({ label }) => this.#mainOf.get(label) !== "Information") ?? null;
    const contactType = this.#contactTypes.decide(call, { caseTotal, informationWeight, signal });
    const intervention = this.#decide(tallyLabels(findCues(call, this.#interventions, context), "agent"), this.#assets.interventions.threshold);
    if (isNoCase(contactType)) return { contactType, ...NO_CASE, intervention };
    const mainCategory = this.#mainCategory(totals, subCategory);
    const priority = this.#priorities.decide(call, { contactType, subCategory, signal });
    return { contactType, mainCategory, subCategory, intervention, priority };
  }

  #weighByGravity(totals: readonly LabelTotal<string>[]): readonly LabelTotal<string>[] {
    return totals
      .map((total) => ({ ...total, weight: total.weight * (this.#gravityOf.get(total.label) ?? 1) }))
      .sort((left, right) => right.weight - left.weight);
  }

  #decide(totals: readonly LabelTotal<string>[], threshold: number): LabelDecision {
    const [top, second] = totals;
    if (top === undefined || top.weight < threshold) return ABSTAINED;
    return { label: top.label, score: clarityScore(top.weight, second?.weight ?? 0), evidence: top.evidence };
  }

  /** The main category of the sub-category; without one, the main category whose sub-categories together suffice. */
  #mainCategory(totals: readonly LabelTotal<string>[], subCategory: LabelDecision): LabelDecision {
    const mains = new Map<string, { weight: number; evidence: LabelDecision["evidence"][number][] }>();
    for (const { label, weight, evidence } of totals) {
      const main = this.#mainOf.get(label);
      if (main === undefined) continue;
      const sum = mains.get(main) ?? { weight: 0, evidence: [] };
      mains.set(main, { weight: sum.weight + weight, evidence: [...sum.evidence, ...evidence] });
    }
    const ranked = [...mains]
      .map(([label, { weight, evidence }]) => ({ label, weight, evidence: uniqueEvidence(evidence) }))
      .sort((left, right) => right.weight - left.weight);
    if (subCategory.label === null) return this.#decide(ranked, this.#assets.categories.threshold);
    const implied = this.#mainOf.get(subCategory.label) ?? null;
    const own = ranked.find(({ label }) => label === implied)?.weight ?? 0;
    const rival = ranked.find(({ label }) => label !== implied)?.weight ?? 0;
    return { label: implied, score: clarityScore(own, rival), evidence: subCategory.evidence };
  }
}
