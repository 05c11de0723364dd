/** Decides what kind of contact a call is, before anything else is said about it. */
import { ABSTAINED, type ContactType, type LabelDecision } from "../../../../core/case-classification.js";
import type { ContactTypeLexicon } from "../asset-schemas.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading } from "../text/call-reading.js";
import { findCues } from "../text/cue-finder.js";
import { allPhrases, type WeightedCue, weightedEntries } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";
import { clarityScore, type LabelTotal, tallyLabels } from "./label-tally.js";

export interface ContactTypeContext {
  /** The heaviest sub-category outside "Information", if any. */
  readonly caseTotal: LabelTotal<string> | null;
  readonly informationWeight: number;
  readonly signal: AbortSignal;
}

const SILENT_SCORE = 0.7;

export class ContactTypeRule {
  readonly #lexicon: ContactTypeLexicon;
  readonly #scopes: ScopeReader;
  readonly #types: PhraseMatcher<WeightedCue<ContactType>>;
  readonly #silent: PhraseMatcher<"silent">;
  readonly #caseThreshold: number;

  constructor({ contactTypes, categories }: BuiltinAssets, scopes: ScopeReader) {
    this.#lexicon = contactTypes;
    this.#scopes = scopes;
    this.#caseThreshold = categories.threshold;
    this.#types = new PhraseMatcher(contactTypes.types.flatMap((type) => weightedEntries(type.contact_type, type.cues, contactTypes.weights)));
    this.#silent = new PhraseMatcher(allPhrases(contactTypes.silent.cues).map((phrase) => ({ phrase, payload: "silent" as const })));
  }

  /** Silent first; then prank and wrong number unless a case is told; then a case against a wish to know. */
  decide(call: CallReading, { caseTotal, informationWeight, signal }: ContactTypeContext): LabelDecision<ContactType> {
    const silent = this.#decideSilent(call);
    if (silent !== null) return silent;
    const cues = findCues(call, this.#types, { scopes: this.#scopes, signal });
    const totals = tallyLabels(
      cues.filter(({ evidence }) => evidence.channel !== "agent"),
      "caller",
    );
    const of = (label: ContactType): LabelTotal<ContactType> => totals.find((total) => total.label === label) ?? { label, weight: 0, evidence: [] };
    const hasCase = (caseTotal?.weight ?? 0) >= this.#caseThreshold;
    const caseWeight = hasCase ? (caseTotal?.weight ?? 0) : 0;
    for (const odd of [of("prank"), of("wrong_number")]) {
      if (odd.weight >= this.#lexicon.threshold && odd.weight > caseWeight) return decisionOf(odd, caseWeight);
    }
    const asking = of("information");
    const telling = of("counselling");
    const information = { ...asking, weight: asking.weight + informationWeight };
    const evidence = [...telling.evidence, ...(hasCase ? (caseTotal?.evidence ?? []) : [])];
    const counselling = { label: "counselling" as const, weight: telling.weight + caseWeight, evidence };
    const [first, second] = information.weight > counselling.weight ? [information, counselling] : [counselling, information];
    if (first.weight < this.#lexicon.threshold || first.evidence.length === 0) return ABSTAINED;
    return decisionOf(first, second.weight);
  }

  /** The counsellor asks whether anyone is there, and hardly a word comes back. */
  #decideSilent(call: CallReading): LabelDecision<ContactType> | null {
    const callerWords = call.filter(({ segment }) => segment.channel === "caller").reduce((sum, { tokens }) => sum + tokens.length, 0);
    const agentSpeaks = call.some(({ segment, tokens }) => segment.channel === "agent" && tokens.length > 0);
    if (!agentSpeaks || callerWords > this.#lexicon.silent.max_caller_words) return null;
    const evidence = findCues(
      call.filter(({ segment }) => segment.channel === "agent"),
      this.#silent,
      { scopes: this.#scopes, signal: new AbortController().signal },
    ).map((cue) => cue.evidence);
    return evidence.length === 0 ? null : { label: "silent", score: SILENT_SCORE, evidence };
  }
}

function decisionOf({ label, weight, evidence }: LabelTotal<ContactType>, rival: number): LabelDecision<ContactType> {
  return { label, score: clarityScore(weight, rival), evidence };
}
