/**
 * The builtin `summary` engine: it picks three to six sentences of the call and quotes them in a light frame ("The
 * caller says: ..."). Every word between the quotation marks was said; nothing is inferred.
 */
import type { CallSummary, SummarySentence } from "../../../core/call-summary.js";
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { Channel } from "../../../core/transcript.js";
import type { ModelEngine } from "../../model-engine.js";
import type { SummaryInput, SummaryOutput } from "../../summarizer.js";
import { checkSegments, describeBuiltin } from "./builtin-engine.js";
import type { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import type { BuiltinAssets } from "./load-builtin-assets.js";
import { type CallReading, readCall } from "./text/call-reading.js";
import { findCues } from "./text/cue-finder.js";
import { allPhrases, weightedEntries } from "./text/lexicon-phrases.js";
import { PhraseMatcher } from "./text/phrase-matcher.js";
import { ScopeReader } from "./text/scope-reader.js";
import type { Token } from "./text/tokenizer.js";

const MIN_SENTENCES = 3;
const MAX_SENTENCES = 6;
/** A quotation is at most this many words; a longer unpunctuated sentence is cut at the words that matter. */
const MAX_QUOTE_TOKENS = 28;
/** Fewer words than this say nothing by themselves ("okay", "hello there"). */
const MIN_QUOTE_TOKENS = 3;
const ENTITY_WEIGHT = 1;
const RISK_WEIGHT = 2;
/** A call whose heaviest sentence holds less than this (a single name or date) has nothing to summarise. */
const MIN_TOTAL_WEIGHT = 2;

const FRAMES: Readonly<Record<"en" | "sw", Readonly<Record<Channel, string>>>> = {
  en: { caller: "The caller says", agent: "The counsellor says", mixed: "On the call it is said" },
  sw: { caller: "Mpiga simu anasema", agent: "Mshauri anasema", mixed: "Kwenye simu inasemwa" },
};

interface Quote {
  readonly evidence: Evidence;
  readonly segmentIndex: number;
  /** What it holds, per square root of its length, so that long sentences do not always win. */
  readonly weight: number;
  readonly total: number;
  readonly action: boolean;
}

interface Weighted {
  readonly segmentIndex: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly weight: number;
  readonly action: boolean;
}

export class BuiltinSummarizer implements ModelEngine<"summary"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #recognizer: BuiltinEntityRecognizer;
  readonly #content: PhraseMatcher<{ readonly weight: number }>;
  readonly #actions: PhraseMatcher<{ readonly weight: number }>;

  constructor(assets: BuiltinAssets, recognizer: BuiltinEntityRecognizer, revision: string) {
    this.description = describeBuiltin("summary", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#recognizer = recognizer;
    const { categories, risks, interventions } = assets;
    const riskCue = { weight: RISK_WEIGHT };
    this.#content = new PhraseMatcher<{ readonly weight: number }>([
      ...categories.categories.flatMap(({ label, cues }) => weightedEntries(label, cues, categories.weights)),
      ...risks.kinds.flatMap(({ levels }) => Object.values(levels).flatMap((group) => allPhrases(group).map((phrase) => ({ phrase, payload: riskCue })))),
    ]);
    this.#actions = new PhraseMatcher<{ readonly weight: number }>(
      interventions.interventions.flatMap(({ label, cues }) => weightedEntries(label, cues, interventions.weights)),
    );
  }

  async run(input: SummaryInput, options: { readonly signal: AbortSignal }): Promise<SummaryOutput> {
    checkSegments(input.segments);
    const { signal } = options;
    const call = readCall(input.segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
    const entities = input.entities ?? (await this.#recognizer.run({ segments: input.segments }, options)).entities;
    const indexOf = new Map(input.segments.map(({ id }, index) => [id, index]));
    const mentions: readonly Weighted[] = entities.flatMap((entity) =>
      entity.mentions.slice(0, 1).flatMap(({ segmentId, startOffset, endOffset }) => {
        const segmentIndex = indexOf.get(segmentId);
        if (segmentIndex === undefined) return [];
        return [{ segmentIndex, startOffset, endOffset, weight: ENTITY_WEIGHT, action: false }];
      }),
    );
    const quotes = pickQuotes(quotesOf(call, [...mentions, ...this.#weights(call, signal)]));
    return { summary: frameQuotes(quotes, frameLanguage(call)) };
  }

  #weights(call: CallReading, signal: AbortSignal): readonly Weighted[] {
    const context = { scopes: this.#scopes, signal };
    const content = findCues(call, this.#content, context)
      .filter(({ standing, evidence }) => standing === "stated" && evidence.channel !== "agent")
      .map(({ payload, segmentIndex, evidence }) => ({
        ...placeOf(evidence),
        ...payload,
        segmentIndex,
        action: false,
      }));
    const actions = findCues(call, this.#actions, context)
      .filter(({ standing, evidence }) => standing === "stated" && evidence.channel === "agent")
      .map(({ payload, segmentIndex, evidence }) => ({ ...placeOf(evidence), ...payload, segmentIndex, action: true }));
    return [...content, ...actions];
  }
}

function placeOf({ startOffset, endOffset }: Evidence): { readonly startOffset: number; readonly endOffset: number } {
  return { startOffset, endOffset };
}

/** One candidate quotation per sentence that is stated and long enough, with the weight of what it holds. */
function quotesOf(call: CallReading, weights: readonly Weighted[]): readonly Quote[] {
  const bySegment = new Map<number, Weighted[]>();
  for (const weight of weights) {
    const group = bySegment.get(weight.segmentIndex);
    if (group === undefined) bySegment.set(weight.segmentIndex, [weight]);
    else group.push(weight);
  }
  return call.flatMap(({ segment, tokens, sentences, marks }, segmentIndex) =>
    sentences.flatMap(({ firstToken, endToken }): readonly Quote[] => {
      if (endToken - firstToken < MIN_QUOTE_TOKENS || marks.asked[firstToken] === 1) return [];
      const from = tokens[firstToken]?.startOffset ?? 0;
      const to = tokens[endToken - 1]?.endOffset ?? from;
      const within = (bySegment.get(segmentIndex) ?? []).filter(
        ({ startOffset, endOffset, action }) => startOffset >= from && endOffset <= to && action === (segment.channel === "agent"),
      );
      if (within.length === 0) return [];
      const heaviest = within.reduce((best, item) => (item.weight > best.weight ? item : best));
      const centre = tokens.findIndex(({ endOffset }) => endOffset > heaviest.startOffset);
      const first = Math.max(firstToken, Math.min(centre - MAX_QUOTE_TOKENS / 2, endToken - MAX_QUOTE_TOKENS));
      const last = Math.min(endToken, first + MAX_QUOTE_TOKENS) - 1;
      const start = wordStart(tokens, first);
      const evidence = toEvidence(segment, start, tokens[last]?.endOffset ?? to);
      const total = within.reduce((sum, item) => sum + item.weight, 0);
      const weight = total / Math.sqrt(endToken - firstToken);
      return [{ evidence, segmentIndex, weight, total, action: segment.channel === "agent" }];
    }),
  );
}

/** Where a token's word begins: the second half of a contraction begins with the first. */
function wordStart(tokens: readonly Token[], at: number): number {
  const joined = at > 0 && tokens[at - 1]?.endOffset === tokens[at]?.startOffset;
  return tokens[joined ? at - 1 : at]?.startOffset ?? 0;
}

/** The heaviest of what the caller tells, and the counsellor's main action, in time order; the same words once. */
function pickQuotes(quotes: readonly Quote[]): readonly Quote[] {
  const seen = new Set<string>();
  const distinct = quotes.filter(({ evidence }) => {
    const words = evidence.text.toLowerCase();
    if (seen.has(words)) return false;
    seen.add(words);
    return true;
  });
  const ranked = distinct.toSorted((left, right) => right.weight - left.weight);
  const told = ranked.filter(({ action }) => !action).slice(0, MAX_SENTENCES - 1);
  const done = ranked.filter(({ action }) => action).slice(0, Math.max(1, MIN_SENTENCES - told.length));
  const says = told.some(({ total }) => total >= MIN_TOTAL_WEIGHT);
  const picked = !says ? [] : [...told, ...done];
  return picked.toSorted((left, right) => left.segmentIndex - right.segmentIndex || left.evidence.startOffset - right.evidence.startOffset);
}

function frameQuotes(quotes: readonly Quote[], language: "en" | "sw"): CallSummary {
  const sentences: readonly SummarySentence[] = quotes.map(({ evidence }) => ({
    text: `${FRAMES[language][evidence.channel]}: “${evidence.text}”.`,
    evidence: [evidence],
  }));
  return { text: sentences.map(({ text }) => text).join(" "), sentences };
}

/** The frame is Swahili when most segments are. */
function frameLanguage(call: CallReading): "en" | "sw" {
  const swahili = call.filter(({ segment }) => segment.language.startsWith("sw")).length;
  return swahili * 2 > call.length ? "sw" : "en";
}
