/**
 * The builtin `entities` engine: gazetteers, patterns and context rules, English and Swahili, with or without capitals
 * and punctuation, weighed by a linear model that was trained on labelled calls. A string has one label in a call; every
 * place it is found again carries the winning label.
 */
import type { Entity, EntityLabel } from "../../../../core/entity.js";
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { EntityInput, EntityOutput } from "../../../entity-recognizer.js";
import type { ModelEngine } from "../../../model-engine.js";
import type { NumberLexicon } from "../asset-schemas.js";
import { checkSegments, describeBuiltin, ruleScore } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { type CallReading, isLongEnough, readCall } from "../text/call-reading.js";
import { ScopeReader } from "../text/scope-reader.js";
import { tokenEvidence } from "../text/text-reading.js";
import { ActFinder } from "./act-finder.js";
import { type EntitySpan, resolveOverlaps } from "./entity-span.js";
import { EntityTagger } from "./entity-tagger.js";
import { NameFinder } from "./name-finder.js";
import { PersonFinder } from "./person-finder.js";
import { findPhoneNumbers, isDialled, isShortCode } from "./phone-number-finder.js";
import { PhraseEntityFinder } from "./phrase-entity-finder.js";
import { PlaceFinder } from "./place-finder.js";
import { RoleFinder } from "./role-finder.js";

export class BuiltinEntityRecognizer implements ModelEngine<"entities"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #phrases: PhraseEntityFinder;
  readonly #names: NameFinder;
  readonly #places: PlaceFinder;
  readonly #roles: RoleFinder;
  readonly #tagger: EntityTagger;

  constructor(assets: BuiltinAssets, revision: string) {
    this.description = describeBuiltin("entities", revision);
    this.#assets = assets;
    this.#tagger = new EntityTagger(assets.entityTagger);
    this.#scopes = new ScopeReader(assets.scopes);
    this.#phrases = new PhraseEntityFinder(assets, this.#scopes);
    this.#names = new NameFinder(assets);
    this.#places = new PlaceFinder(assets);
    const persons = new PersonFinder(assets);
    this.#roles = new RoleFinder(assets, persons, new ActFinder(assets, persons, this.#scopes));
  }

  async run(input: EntityInput, { signal }: { readonly signal: AbortSignal }): Promise<EntityOutput> {
    checkSegments(input.segments);
    return { entities: this.#recognize(this.read(input.segments, signal), signal) };
  }

  #recognize(call: CallReading, signal: AbortSignal): readonly Entity[] {
    const candidates = this.candidates(call, signal);
    const genders = perSegment(candidates.filter(({ label }) => label === "GENDER"));
    const others =
      isLongEnough(call) && hasSpeakers(call) ? this.#tag(call, candidates, signal) : perSegment(candidates.filter(({ label }) => label !== "GENDER"));
    return mergeByText(call, [...others, ...(genders.length > 0 ? genders : firstPronoun(call))]);
  }

  #tag(call: CallReading, candidates: readonly EntitySpan[], signal: AbortSignal): readonly EntitySpan[] {
    const tagged = this.#tagger.tag({ call, candidates }, signal);
    return addUncontested(
      call,
      tagged.filter((span) => span.label !== "GENDER" && (span.label !== "PHONE_NUMBER" || hasDigitsEnough(call, span, this.#assets.numbers))),
      candidates,
    );
  }

  /** What the rules find, also where it overlaps: the tagger weighs it. */
  candidates(call: CallReading, signal: AbortSignal): readonly EntitySpan[] {
    const names = this.#names.find(call);
    const found = call.map((reading, segmentIndex) => {
      signal.throwIfAborted();
      return [
        ...findPhoneNumbers(reading, segmentIndex, this.#assets.numbers),
        ...this.#phrases.find(reading, segmentIndex),
        ...this.#places.find(reading, segmentIndex),
        ...(names[segmentIndex] ?? []),
      ];
    });
    const settled = found.map((spans) => resolveOverlaps(spans));
    const ofLabel = (label: EntitySpan["label"]): readonly EntitySpan[] => settled.flatMap((spans) => spans.filter((span) => span.label === label));
    const roles = this.#roles.find({ call, names: ofLabel("NAME"), ages: ofLabel("AGE"), signal });
    return [...found.flat(), ...roles];
  }

  /** A call as the rules and the tagger read it. */
  read(segments: EntityInput["segments"], signal: AbortSignal): CallReading {
    return readCall(segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
  }
}

/** Rules that are right where the tagger says nothing: it learnt from far fewer calls than there are names. */
const TRUSTED: ReadonlySet<EntityLabel> = new Set(["NAME", "AGE", "LOCATION", "INCIDENT_TYPE", "LANDMARK", "PHONE_NUMBER"]);

function addUncontested(call: CallReading, tagged: readonly EntitySpan[], candidates: readonly EntitySpan[]): readonly EntitySpan[] {
  const longest = new Map<string, EntitySpan>();
  for (const span of candidates) {
    if (!RULED.has(span.label)) continue;
    for (const key of keysOf(span)) if (lengthOf(span) > lengthOf(longest.get(`${span.label} ${key}`))) longest.set(`${span.label} ${key}`, span);
  }
  const widened = tagged.map((span) => (RULED.has(span.label) ? asRuled(span, longest) : NAMES.has(span.label) ? capitalsOnly(span, call) : span));
  const taken = new Set(widened.flatMap(keysOf));
  return perSegment([...widened, ...candidates.filter((span) => TRUSTED.has(span.label) && !keysOf(span).some((key) => taken.has(key)))]);
}

/** One key for each of its words. */
function keysOf({ segmentIndex, firstToken, endToken }: EntitySpan): readonly string[] {
  return Array.from({ length: endToken - firstToken }, (_, index) => `${segmentIndex} ${firstToken + index}`);
}

function lengthOf(span: EntitySpan | undefined): number {
  return span === undefined ? 0 : span.endToken - span.firstToken;
}

function perSegment(spans: readonly EntitySpan[]): readonly EntitySpan[] {
  const segments = new Map<number, EntitySpan[]>();
  for (const span of spans) {
    const own = segments.get(span.segmentIndex) ?? [];
    segments.set(span.segmentIndex, own);
    own.push(span);
  }
  return [...segments.values()].flatMap((own) => resolveOverlaps(own));
}

const LEAST_DIGITS = 6;

function hasDigitsEnough(call: CallReading, span: EntitySpan, lexicon: NumberLexicon): boolean {
  const reading = call[span.segmentIndex];
  if (reading === undefined) return false;
  const words = reading.tokens.slice(span.firstToken, span.endToken);
  if (isShortCode(reading, span, lexicon)) return true;
  if (!isDialled(reading, span, lexicon)) return false;
  return words.reduce((sum, { norm }) => sum + (/\d/.test(norm) ? norm.replace(/\D/g, "").length : 1), 0) >= LEAST_DIGITS;
}

const NAMES: ReadonlySet<EntityLabel> = new Set(["NAME", "VICTIM", "PERPETRATOR"]);

/** "Nen cope": after a capital a word without one is no part of the name. */
function capitalsOnly(span: EntitySpan, call: CallReading): EntitySpan {
  const words = call[span.segmentIndex]?.tokens.slice(span.firstToken, span.endToken) ?? [];
  if (words[0]?.capitalised !== true || words[0].norm.length < 3 || words[1]?.capitalised !== false) return span;
  const isStart = span.firstToken === 0 || call[span.segmentIndex]?.tokens[span.firstToken - 1]?.sentence !== words[0].sentence;
  return isStart ? span : { ...span, endToken: span.firstToken + 1 };
}

/** Rules know where these begin and end: by the gazetteer, and where the digits do. */
const RULED: ReadonlySet<EntityLabel> = new Set(["LOCATION", "PHONE_NUMBER"]);

/** A place with all the words that it is known by, a number with its own digits. @param found - the longest for each label and word */
function asRuled(span: EntitySpan, found: ReadonlyMap<string, EntitySpan>): EntitySpan {
  const others = keysOf(span).flatMap((key) => found.get(`${span.label} ${key}`) ?? []);
  const longest = others.reduce<EntitySpan | undefined>((best, other) => (lengthOf(other) > lengthOf(best) ? other : best), undefined);
  if (longest === undefined || (span.label === "LOCATION" && lengthOf(longest) <= lengthOf(span))) return span;
  return { ...longest, score: span.score };
}

/** Of a text that does not say who speaks the rules alone made more sense than with the tagger: it leans on turns. */
function hasSpeakers(call: CallReading): boolean {
  return call.some(({ segment }) => segment.channel !== "mixed");
}

/** "My neighbour's child ... she": the only word that tells the gender. Swahili has none. */
function firstPronoun(call: CallReading): readonly EntitySpan[] {
  for (const [segmentIndex, { tokens, segment }] of call.entries()) {
    if (segment.channel === "agent") continue;
    const at = tokens.findIndex(({ norm }) => norm === "he" || norm === "she");
    if (at >= 0) return [{ label: "GENDER", segmentIndex, firstToken: at, endToken: at + 1, score: 0.6 }];
  }
  return [];
}

interface Named {
  readonly text: string;
  readonly mentions: Evidence[];
  /** For each label that a mention has, what its mentions' scores add up to, and the highest. */
  readonly votes: Map<EntityLabel, { sum: number; highest: number }>;
}

/** One entity per case-folded string, by first mention; the label that most speaks for takes all mentions. */
function mergeByText(call: CallReading, spans: readonly EntitySpan[]): readonly Entity[] {
  const merged = new Map<string, Named>();
  for (const span of spans) {
    const mention = mentionOf(call, span);
    if (mention === null) continue;
    const key = mention.text.toLowerCase().replace(/\s+/g, " ");
    const known: Named = merged.get(key) ?? { text: mention.text, mentions: [], votes: new Map() };
    merged.set(key, known);
    known.mentions.push(mention);
    const { sum, highest } = known.votes.get(span.label) ?? { sum: 0, highest: 0 };
    known.votes.set(span.label, { sum: sum + span.score, highest: Math.max(highest, span.score) });
  }
  return [...merged.values()].flatMap(({ text, mentions, votes }): readonly Entity[] => {
    const [best] = [...votes].sort(([one, { sum }], [other, { sum: otherSum }]) => otherSum * weightOf(other) - sum * weightOf(one));
    return best === undefined ? [] : [{ label: best[0], text, score: ruleScore(best[1].highest), mentions }];
  });
}

/** A role is told once and the name is said often without it. */
function weightOf(label: EntityLabel): number {
  return label === "VICTIM" || label === "PERPETRATOR" ? ROLE_WEIGHT : 1;
}
const ROLE_WEIGHT = 1.5;

/**
 * The words of a span, without the possessive ending of a last name ("Grace's phone" names Grace) and with the plus sign
 * of a telephone number, which is no token.
 */
function mentionOf(call: CallReading, { label, segmentIndex, firstToken, endToken }: EntitySpan): Evidence | null {
  const reading = call[segmentIndex];
  if (reading === undefined) return null;
  const whole = tokenEvidence(reading, firstToken, endToken);
  if (label === "PHONE_NUMBER" && reading.segment.text.charAt(whole.startOffset - 1) === "+") {
    return toEvidence(reading.segment, whole.startOffset - 1, whole.endOffset);
  }
  if (!/.['’]s$/i.test(whole.text)) return whole;
  return toEvidence(reading.segment, whole.startOffset, whole.endOffset - 2);
}
