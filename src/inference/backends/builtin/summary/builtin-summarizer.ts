/**
 * The builtin `summary` engine, in the order of a counsellor's note: who calls about whom and where, what is told, since when,
 * whether it is safe, what was agreed and what comes next. The frames are ours (`data/lexicons/summary.json`), everything in them was
 * said; a denial is quoted with the words that deny. What was not said has no sentence.
 */
import type { SummarySentence } from "../../../../core/call-summary.js";
import type { AnswerKind } from "../../../../core/case/case-answer.js";
import type { EntityLabel } from "../../../../core/entity.js";
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import { MIXED_LANGUAGE } from "../../../../core/language.js";
import type { ModelEngine } from "../../../model-engine.js";
import type { SummaryInput, SummaryOutput } from "../../../summarizer.js";
import { checkSegments, describeBuiltin } from "../builtin-engine.js";
import type { BuiltinEntityRecognizer } from "../entities/builtin-entity-recognizer.js";
import type { Fact } from "../facts/caller-turns.js";
import type { CaseFacts, FactInput } from "../facts/case-facts.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { type CallReading, readCall } from "../text/call-reading.js";
import { findCues } from "../text/cue-finder.js";
import { allPhrases, weightedEntries } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { ScopeReader } from "../text/scope-reader.js";
import type { Token } from "../text/tokenizer.js";
import { fill, openingSentence } from "./opening-sentence.js";

/** Sentences of the caller that are quoted; with the rest a summary has eight at most. */
const MAX_TOLD = 3;
/** What is promised by less than this is too vague for a note. */
const LEAST_STEP_SCORE = 0.45;
/** A quotation is at most this many words; a longer unpunctuated sentence is cut at the words that matter. */
const MAX_QUOTE_TOKENS = 28;
/** Fewer words than this say nothing by themselves ("okay", "hello there"). */
const MIN_QUOTE_TOKENS = 4;
const ENTITY_WEIGHT = 1;
const RISK_WEIGHT = 2;
/** What answers "what happened?" is told before other things. */
const INCIDENT_WEIGHT = 4;
/** Entities that say something of the matter; who, how old and where is in the first sentence. */
const TELLING: ReadonlySet<EntityLabel> = new Set(["INCIDENT_TYPE", "PERPETRATOR"]);
/** A call whose heaviest sentence holds less than this (a single name or date) has nothing to summarise. */
const MIN_TOTAL_WEIGHT = 2;

type Language = keyof BuiltinAssets["summary"]["frames"];

interface Quote {
  readonly evidence: Evidence;
  readonly segmentIndex: number;
  /** What it holds, per square root of its length, so that long sentences do not always win. */
  readonly weight: number;
  readonly total: number;
}

interface Weighted {
  readonly segmentIndex: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly weight: number;
}

export interface SummarizerParts {
  readonly recognizer: BuiltinEntityRecognizer;
  readonly facts: CaseFacts;
}

export class BuiltinSummarizer implements ModelEngine<"summary"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #recognizer: BuiltinEntityRecognizer;
  readonly #facts: CaseFacts;
  readonly #content: PhraseMatcher<{ readonly weight: number }>;

  constructor(assets: BuiltinAssets, { recognizer, facts }: SummarizerParts, revision: string) {
    this.description = describeBuiltin("summary", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#recognizer = recognizer;
    this.#facts = facts;
    const { categories, risks } = assets;
    const riskCue = { weight: RISK_WEIGHT };
    this.#content = new PhraseMatcher<{ readonly weight: number }>([
      ...categories.categories.flatMap(({ label, cues }) => weightedEntries(label, cues, categories.weights)),
      ...risks.kinds.flatMap(({ levels }) => Object.values(levels).flatMap((group) => allPhrases(group).map((phrase) => ({ phrase, payload: riskCue })))),
    ]);
  }

  async run(input: SummaryInput, options: { readonly signal: AbortSignal }): Promise<SummaryOutput> {
    checkSegments(input.segments);
    const { signal } = options;
    const call = readCall(input.segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
    const entities = input.entities ?? (await this.#recognizer.run({ segments: input.segments }, options)).entities;
    const told = this.#told({ call, entities, signal });
    if (told.length === 0) return { summary: { text: "", sentences: [] } };
    const sentences = this.#write({ call, entities, signal }, told);
    return { summary: { text: sentences.map(({ text }) => text).join(" "), sentences } };
  }

  /** What tells of the matter; where nothing does, what holds names and places at least. */
  #told(input: FactInput): readonly Quote[] {
    const { call, entities, signal } = input;
    const indexOf = new Map(call.map(({ segment }, index) => [segment.id, index]));
    const weigh = (evidence: Evidence | undefined, weight: number): readonly Weighted[] => {
      const segmentIndex = evidence === undefined ? undefined : indexOf.get(evidence.segmentId);
      return evidence === undefined || segmentIndex === undefined ? [] : [{ ...placeOf(evidence), segmentIndex, weight }];
    };
    const cues = findCues(call, this.#content, { scopes: this.#scopes, signal })
      .filter(({ standing }) => standing === "stated")
      .flatMap(({ payload, evidence }) => weigh(evidence, payload.weight));
    const incident = this.#facts.find("incident", input)?.evidence;
    const telling = entities.filter(({ label }) => TELLING.has(label)).flatMap(({ mentions: [first] }) => weigh(first, ENTITY_WEIGHT));
    const told = toldQuotes(quotesOf(call, [...weigh(incident, INCIDENT_WEIGHT), ...cues, ...telling]));
    return told.length > 0
      ? told
      : toldQuotes(
          quotesOf(
            call,
            entities.flatMap(({ mentions: [first] }) => weigh(first, ENTITY_WEIGHT)),
          ),
        );
  }

  #write(input: FactInput, told: readonly Quote[]): readonly SummarySentence[] {
    const find = (kind: AnswerKind) => this.#facts.find(kind, input);
    const frames = this.#assets.summary.frames[callLanguage(input.call)];
    const people = { caller: find("caller_name"), child: find("child_name"), age: find("child_age"), place: find("place") };
    const opening = openingSentence(people, input.entities, frames);
    const [agreed, next] = this.#facts.nextSteps(input).filter(({ score }) => score >= LEAST_STEP_SCORE);
    const quotes = told.map(({ evidence }) => evidence);
    const framed = (frame: string, fact: Fact | null | undefined): SummarySentence[] => {
      if (fact === null || fact === undefined || quotes.some((quote) => covers(quote, fact.evidence))) return [];
      return [{ text: fill(frame, { words: fact.evidence.text }), evidence: [fact.evidence] }];
    };
    return [
      ...(opening === null ? [] : [opening]),
      ...quotes.map((evidence) => ({ text: fill(frames.told[evidence.channel], { words: evidence.text }), evidence: [evidence] })),
      ...framed(frames.time, find("time")),
      ...framed(frames.safety, find("safety")),
      ...framed(frames.agreed, agreed),
      ...framed(frames.next_step, next),
    ];
  }
}

function placeOf({ startOffset, endOffset }: Evidence): { readonly startOffset: number; readonly endOffset: number } {
  return { startOffset, endOffset };
}

function covers(outer: Evidence, inner: Evidence): boolean {
  return outer.segmentId === inner.segmentId && outer.startOffset <= inner.startOffset && outer.endOffset >= inner.endOffset;
}

/** One candidate quotation per sentence that is stated and long enough, with the weight of what it holds. */
function quotesOf(call: CallReading, weights: readonly Weighted[]): readonly Quote[] {
  const bySegment = new Map<number, Weighted[]>();
  for (const weight of weights) {
    const group = bySegment.get(weight.segmentIndex);
    if (group === undefined) bySegment.set(weight.segmentIndex, [weight]);
    else group.push(weight);
  }
  return call.flatMap(({ segment, tokens, sentences, marks }, segmentIndex) => {
    if (segment.channel === "agent") return [];
    return sentences.flatMap(({ firstToken, endToken }): readonly Quote[] => {
      if (endToken - firstToken < MIN_QUOTE_TOKENS || marks.asked[firstToken] === 1) return [];
      const from = tokens[firstToken]?.startOffset ?? 0;
      const to = tokens[endToken - 1]?.endOffset ?? from;
      const within = (bySegment.get(segmentIndex) ?? []).filter(({ startOffset, endOffset }) => startOffset >= from && endOffset <= to);
      if (within.length === 0) return [];
      const heaviest = within.reduce((best, item) => (item.weight > best.weight ? item : best));
      const centre = tokens.findIndex(({ endOffset }) => endOffset > heaviest.startOffset);
      const first = Math.max(firstToken, Math.min(centre - MAX_QUOTE_TOKENS / 2, endToken - MAX_QUOTE_TOKENS));
      const last = Math.min(endToken, first + MAX_QUOTE_TOKENS) - 1;
      const start = wordStart(tokens, first);
      const evidence = toEvidence(segment, start, tokens[last]?.endOffset ?? to);
      const total = within.reduce((sum, item) => sum + item.weight, 0);
      const weight = total / Math.sqrt(endToken - firstToken);
      return [{ evidence, segmentIndex, weight, total }];
    });
  });
}

/** Where a token's word begins: the second half of a contraction begins with the first. */
function wordStart(tokens: readonly Token[], at: number): number {
  const joined = at > 0 && tokens[at - 1]?.endOffset === tokens[at]?.startOffset;
  return tokens[joined ? at - 1 : at]?.startOffset ?? 0;
}

/** The heaviest of what the caller tells, in time order, the same words once; nothing when all of it weighs next to nothing. */
function toldQuotes(quotes: readonly Quote[]): readonly Quote[] {
  const seen = new Set<string>();
  const distinct = quotes.filter(({ evidence }) => {
    const words = evidence.text.toLowerCase();
    if (seen.has(words)) return false;
    seen.add(words);
    return true;
  });
  const told = distinct.toSorted((left, right) => right.weight - left.weight).slice(0, MAX_TOLD);
  if (!told.some(({ total }) => total >= MIN_TOTAL_WEIGHT)) return [];
  return told.toSorted((left, right) => left.segmentIndex - right.segmentIndex || left.evidence.startOffset - right.evidence.startOffset);
}

/** The one that most words are in; mixed segments are half of each. */
function callLanguage(call: CallReading): Language {
  let swahili = 0;
  for (const { segment, tokens } of call) {
    if (segment.language.startsWith("sw")) swahili += tokens.length;
    else if (segment.language !== MIXED_LANGUAGE) swahili -= tokens.length;
  }
  return swahili > 0 ? "sw" : "en";
}
