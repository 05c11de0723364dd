/** Where, when, what happened, whether it is safe now, how to reach the caller, and what was agreed. */
import type { Entity } from "../../../../core/entity.js";
import { toEvidence } from "../../../../core/evidence.js";
import type { FactLexicon } from "../asset-schemas.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading } from "../text/call-reading.js";
import { findCues } from "../text/cue-finder.js";
import { allPhrases, weightedEntries } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";
import type { TokenRange } from "../text/tokenizer.js";
import { clauseAround, type Fact, isCaller, replyTo, wordsOf } from "./caller-turns.js";
import { mentionsOf } from "./person-facts.js";

const RISK_WEIGHT = 2;
const INCIDENT_WEIGHT = 2;
/** Only so much between two places makes them one: "Kayole, Nairobi", "mutomo in kitui". */
const BETWEEN_PLACES = /^[\s,]*(?:(?:in|ya|wa|kata|mkoa|wilaya|county|hapa|there|near|the|side|of|from|a|place|called|district|ward|huko|kule)[\s,]*){0,4}$/iu;
const REPLY_WORDS = 12;
const LEAST_REPLY_WORDS = 3;
/** Whom it is brought to says more of a step than when. */
const BODY_WEIGHT = 1;
/** What the caller tells first is mostly what they call about. */
const LATER_SHARE = 0.9;

interface Weight {
  readonly weight: number;
}

interface Place {
  readonly segmentIndex: number;
  readonly firstToken: number;
  readonly endToken: number;
  readonly weight: number;
}

export class SituationFacts {
  readonly #scopes: ScopeReader;
  readonly #harm: PhraseMatcher<Weight>;
  readonly #safetyQuestions: PhraseMatcher<true>;
  readonly #safetyStatements: PhraseMatcher<true>;
  readonly #commitments: PhraseMatcher<Weight>;
  readonly #toldTimes: PhraseMatcher<true>;
  readonly #plannedTimes: PhraseMatcher<true>;

  constructor({ categories, risks, interventions, facts }: Pick<BuiltinAssets, "categories" | "risks" | "interventions" | "facts">, scopes: ScopeReader) {
    this.#scopes = scopes;
    const ofRisk = { weight: RISK_WEIGHT };
    this.#harm = new PhraseMatcher<Weight>([
      ...categories.categories.flatMap(({ label, cues }) => weightedEntries(label, cues, categories.weights)),
      ...risks.kinds.flatMap(({ levels }) => Object.values(levels).flatMap((group) => allPhrases(group).map((phrase) => ({ phrase, payload: ofRisk })))),
    ]);
    this.#safetyQuestions = plainMatcher(facts.safety_questions);
    this.#safetyStatements = plainMatcher(facts.safety_statements);
    this.#toldTimes = plainMatcher(facts.told_times);
    this.#plannedTimes = plainMatcher(facts.planned_times);
    const weigh = (cues: FactLexicon["greetings"], weight: number) => allPhrases(cues).map((phrase) => ({ phrase, payload: { weight } }));
    const referral = interventions.interventions.filter(({ label }) => label === "Referral");
    this.#commitments = new PhraseMatcher<Weight>([
      ...weigh(facts.commitments.strong, 3),
      ...weigh(facts.commitments.weak, 1),
      ...referral.flatMap(({ label, cues }) => weightedEntries(label, cues, interventions.weights)),
    ]);
  }

  /** The first place the caller names, with those named right beside it. */
  place(call: CallReading, entities: readonly Entity[]): Fact | null {
    const places = mentionsOf(call, entities, (label) => label === "LOCATION");
    const first = places.find(({ segmentIndex }) => isCaller(call[segmentIndex] as CallReading[number])) ?? places[0];
    const turn = first === undefined ? undefined : call[first.segmentIndex];
    if (first === undefined || turn === undefined) {
      const [landmark] = mentionsOf(call, entities, (label) => label === "LANDMARK").filter(({ evidence }) => evidence.channel !== "agent");
      return landmark === undefined ? null : { evidence: landmark.evidence, score: 0.4 };
    }
    let { endOffset } = first.evidence;
    for (const { segmentIndex, evidence } of places) {
      if (segmentIndex !== first.segmentIndex || evidence.startOffset < endOffset) continue;
      if (BETWEEN_PLACES.test(turn.segment.text.slice(endOffset, evidence.startOffset))) endOffset = evidence.endOffset;
    }
    return { evidence: toEvidence(turn.segment, first.evidence.startOffset, endOffset), score: 0.7 };
  }

  /** The caller's clause with most that tells of harm or of the matter. */
  incident(call: CallReading, entities: readonly Entity[], signal: AbortSignal): Fact | null {
    const cues: Place[] = findCues(call, this.#harm, { scopes: this.#scopes, signal })
      .filter(({ standing, tense, segmentIndex }) => standing === "stated" && tense !== "hypothetical" && isCaller(call[segmentIndex] as CallReading[number]))
      .filter(({ segmentIndex, firstToken }) => !isQuestion(call[segmentIndex] as CallReading[number], firstToken))
      .map(({ payload, ...place }) => ({ ...place, weight: payload.weight }));
    for (const { segmentIndex, evidence } of mentionsOf(call, entities, (label) => label === "INCIDENT_TYPE")) {
      const turn = call[segmentIndex] as CallReading[number];
      const at = turn.tokens.findIndex(({ startOffset }) => startOffset >= evidence.startOffset);
      if (isCaller(turn) && at >= 0 && turn.marks.negated[at] !== 1) cues.push({ segmentIndex, firstToken: at, endToken: at + 1, weight: INCIDENT_WEIGHT });
    }
    return rankClauses(call, cues, LATER_SHARE)[0] ?? null;
  }

  /** What the caller replies to whether anybody is hurt or in danger, else what they say of it unasked. */
  safety(call: CallReading): Fact | null {
    for (const [index, turn] of call.entries()) {
      if (turn.segment.channel !== "agent" || this.#safetyQuestions.findAll(turn).length === 0) continue;
      const reply = replyTo(call, index);
      const [sentence, following] = reply?.sentences ?? [];
      if (reply === undefined || sentence === undefined) continue;
      const isShort = sentence.endToken - sentence.firstToken < LEAST_REPLY_WORDS;
      const endToken = Math.min(isShort ? (following ?? sentence).endToken : sentence.endToken, sentence.firstToken + REPLY_WORDS);
      // "Yes" says nothing to whoever does not see the question.
      if (endToken - sentence.firstToken < LEAST_REPLY_WORDS) continue;
      return { evidence: wordsOf(reply, { firstToken: sentence.firstToken, endToken }), score: 0.5 };
    }
    for (const turn of call) {
      const [match] = isCaller(turn) ? this.#safetyStatements.findAll(turn) : [];
      if (match !== undefined) return { evidence: wordsOf(turn, clauseAround(turn, match.firstToken, match.endToken)), score: 0.5 };
    }
    return null;
  }

  /** Where the caller says when; what the counsellor plans comes later. */
  time(call: CallReading, entities: readonly Entity[], incident: Fact | null): Fact | null {
    const times = mentionsOf(call, entities, (label) => label === "DATE_TIME").filter(({ segmentIndex }) =>
      isCaller(call[segmentIndex] as CallReading[number]),
    );
    let best: { readonly evidence: Fact["evidence"]; readonly weight: number } | undefined;
    for (const { segmentIndex, evidence } of times) {
      const turn = call[segmentIndex] as CallReading[number];
      const covers = ({ firstToken, endToken }: TokenRange): boolean =>
        (turn.tokens[firstToken]?.startOffset ?? 0) < evidence.endOffset && (turn.tokens[endToken - 1]?.endOffset ?? 0) > evidence.startOffset;
      const told = this.#toldTimes.findAll(turn).some(covers) ? 2 : 0;
      const planned = this.#plannedTimes.findAll(turn).some(covers) ? 2 : 0;
      const weight = told - planned + (evidence.segmentId === incident?.evidence.segmentId ? 1 : 0);
      if (weight > (best?.weight ?? 0)) best = { evidence, weight };
    }
    return best === undefined ? null : { evidence: best.evidence, score: 0.4 + best.weight / 10 };
  }

  phone(call: CallReading, entities: readonly Entity[]): Fact | null {
    const numbers = mentionsOf(call, entities, (label) => label === "PHONE_NUMBER").filter(({ evidence }) => isOfOnePerson(evidence.text));
    const own = numbers.find(({ segmentIndex }) => isCaller(call[segmentIndex] as CallReading[number])) ?? numbers[0];
    return own === undefined ? null : { evidence: own.evidence, score: 0.8 };
  }

  /** The counsellor's clauses that say what will be done, the one that says most first. */
  nextSteps(call: CallReading, entities: readonly Entity[], signal: AbortSignal): readonly Fact[] {
    const cues: Place[] = findCues(call, this.#commitments, { scopes: this.#scopes, signal })
      .filter(({ standing, evidence }) => (standing === "stated" || standing === "confirmed") && evidence.channel === "agent")
      .map(({ payload, ...place }) => ({ ...place, weight: payload.weight }));
    const planned = new Set(cues.map(({ segmentIndex }) => segmentIndex));
    for (const { segmentIndex, evidence } of mentionsOf(call, entities, (label) => label === "ORGANISATION")) {
      const turn = call[segmentIndex] as CallReading[number];
      const at = turn.tokens.findIndex(({ startOffset }) => startOffset >= evidence.startOffset);
      if (at >= 0 && planned.has(segmentIndex) && !isQuestion(turn, at)) cues.push({ segmentIndex, firstToken: at, endToken: at + 1, weight: BODY_WEIGHT });
    }
    return rankClauses(call, cues);
  }
}

/** A short code such as 116 is everybody's. */
const LEAST_DIGITS = 6;

function isOfOnePerson(number: string): boolean {
  return (number.replace(/\D/g, "").length || number.split(/\s+/).length) >= LEAST_DIGITS;
}

function isQuestion({ tokens, sentences }: CallReading[number], at: number): boolean {
  return sentences[tokens[at]?.sentence ?? 0]?.terminator === "?";
}

const LEAST_WEIGHT = 1;
/** Turns of a call as short as those the rules were written with. */
const SHORT_CALL_TURNS = 12;

/** @param laterShare - what a cue weighs at the end of a short call, by turn; a long call's turns count for less each */
function rankClauses(call: CallReading, cues: readonly Place[], laterShare = 1): readonly Fact[] {
  const turnLength = Math.min(1, SHORT_CALL_TURNS / Math.max(1, call.length));
  const sums = new Map<string, { readonly place: Place; readonly factor: number; sum: number }>();
  for (const place of cues) {
    const turn = call[place.segmentIndex];
    const key = `${place.segmentIndex} ${turn === undefined ? 0 : clauseAround(turn, place.firstToken, place.endToken).firstToken}`;
    const known = sums.get(key);
    const factor = laterShare ** (place.segmentIndex * turnLength);
    if (known === undefined) sums.set(key, { place, factor, sum: place.weight * factor });
    else known.sum += place.weight * factor;
  }
  return [...sums.values()]
    .filter(({ sum, factor }) => sum >= LEAST_WEIGHT * factor)
    .sort((one, other) => other.sum - one.sum)
    .flatMap(({ place, sum }) => {
      const turn = call[place.segmentIndex];
      if (turn === undefined) return [];
      return [{ evidence: wordsOf(turn, clauseAround(turn, place.firstToken, place.endToken)), score: Math.min(0.9, 0.3 + sum / 15) }];
    });
}

function plainMatcher(cues: FactLexicon["greetings"]): PhraseMatcher<true> {
  return new PhraseMatcher(allPhrases(cues).map((phrase) => ({ phrase, payload: true })));
}
