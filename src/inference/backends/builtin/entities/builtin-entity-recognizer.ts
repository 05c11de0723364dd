/**
 * The builtin `entities` engine: gazetteers, patterns and context rules, English and Swahili, with or without capitals
 * and punctuation. A string has one label in a call; every place it is found again carries the winning label.
 */
import type { Entity, EntityLabel } from "../../../../core/entity.js";
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { EntityInput, EntityOutput } from "../../../entity-recognizer.js";
import type { ModelEngine } from "../../../model-engine.js";
import { checkSegments, describeBuiltin, ruleScore } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { type CallReading, readCall } from "../text/call-reading.js";
import { ScopeReader } from "../text/scope-reader.js";
import { tokenEvidence } from "../text/text-reading.js";
import { ActFinder } from "./act-finder.js";
import { type EntitySpan, resolveOverlaps, takesPrecedence } from "./entity-span.js";
import { NameFinder } from "./name-finder.js";
import { PersonFinder } from "./person-finder.js";
import { findPhoneNumbers } from "./phone-number-finder.js";
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

  constructor(assets: BuiltinAssets, revision: string) {
    this.description = describeBuiltin("entities", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#phrases = new PhraseEntityFinder(assets, this.#scopes);
    this.#names = new NameFinder(assets);
    this.#places = new PlaceFinder(assets);
    const persons = new PersonFinder(assets);
    this.#roles = new RoleFinder(assets, persons, new ActFinder(assets, persons, this.#scopes));
  }

  async run(input: EntityInput, { signal }: { readonly signal: AbortSignal }): Promise<EntityOutput> {
    checkSegments(input.segments);
    const call = readCall(input.segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
    return { entities: this.#recognize(call, signal) };
  }

  #recognize(call: CallReading, signal: AbortSignal): readonly Entity[] {
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
    const genders = found.flatMap((spans) => resolveOverlaps(spans.filter(({ label }) => label === "GENDER")));
    const all = found.map((spans, segmentIndex) =>
      resolveOverlaps([...spans.filter(({ label }) => label !== "GENDER"), ...roles.filter((role) => role.segmentIndex === segmentIndex)]),
    );
    return mergeByText(call, [...all.flat(), ...(genders.length > 0 ? genders : firstPronoun(call))]);
  }
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

/** One entity per case-folded string, by first mention; the winning label takes all mentions. */
function mergeByText(call: CallReading, spans: readonly EntitySpan[]): readonly Entity[] {
  const merged = new Map<string, { label: EntityLabel; text: string; score: number; mentions: Evidence[] }>();
  for (const span of spans) {
    const mention = mentionOf(call, span);
    if (mention === null) continue;
    const key = mention.text.toLowerCase().replace(/\s+/g, " ");
    const known = merged.get(key);
    if (known === undefined) {
      merged.set(key, { label: span.label, text: mention.text, score: ruleScore(span.score), mentions: [mention] });
      continue;
    }
    known.mentions.push(mention);
    if (takesPrecedence(span.label, known.label)) {
      known.label = span.label;
      known.score = ruleScore(span.score);
    }
  }
  return [...merged.values()];
}

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
