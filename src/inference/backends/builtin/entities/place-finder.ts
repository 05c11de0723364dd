/**
 * Places: LOCATION from the gazetteer or after words that introduce a place, and LANDMARK for a named or neighbouring
 * school, church, market and the like ("Olympic Primary School", "shule ya msingi Olympic", "near the mosque").
 */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { normalizeWord } from "../text/tokenizer.js";
import type { EntitySpan } from "./entity-span.js";

type PlaceCue = "sure" | "ambiguous" | "strong" | "weak" | "landmark" | "near";

const LONGEST_NAME_TOKENS = 3;
/** Prepositions that stand before persons and things as often as before places. */
const NO_PLACE_AFTER = new Set(["to", "of", "ya", "wa", "la", "cha", "za", "kwa", "through", "outside", "inside", "around"]);
const ARTICLES = new Set(["the", "a", "an", "our", "my", "that", "this"]);
const OF_WORDS = new Set(["ya", "la", "cha", "wa", "za", "of"]);

export class PlaceFinder {
  readonly #matcher: PhraseMatcher<PlaceCue>;
  readonly #gazetteer: PhraseMatcher<"place">;
  readonly #levels: ReadonlySet<string>;
  readonly #suffixes: ReadonlySet<string>;
  readonly #notNames: ReadonlySet<string>;
  readonly #names: ReadonlySet<string>;
  readonly #capitalWords: ReadonlySet<string>;
  readonly #placeWords: ReadonlySet<string>;

  constructor({ places, landmarks, people, names }: Pick<BuiltinAssets, "places" | "landmarks" | "people" | "names">) {
    const ambiguous = new Set(places.ambiguous.map(normalizeWord));
    const all = [...places.countries, ...places.kenya, ...places.tanzania, ...places.uganda].map(toPhrase);
    const cues: readonly (readonly [PlaceCue, readonly string[]])[] = [
      ["sure", all.filter((name) => !ambiguous.has(name))],
      ["ambiguous", all.filter((name) => ambiguous.has(name))],
      ["strong", allPhrases(landmarks.place_introducers.strong)],
      ["weak", allPhrases(landmarks.place_introducers.weak)],
      ["landmark", allPhrases(landmarks.landmark_nouns)],
      ["near", allPhrases(landmarks.near_words)],
    ];
    this.#matcher = new PhraseMatcher(cues.flatMap(([payload, phrases]) => phrases.map((phrase) => ({ phrase, payload }))));
    this.#gazetteer = new PhraseMatcher(all.map((phrase) => ({ phrase, payload: "place" as const })));
    this.#levels = new Set(landmarks.school_levels);
    this.#suffixes = new Set(landmarks.place_suffixes);
    this.#notNames = new Set(people.not_names);
    this.#names = new Set(names.groups.flatMap((group) => group.names.map(normalizeWord)));
    this.#capitalWords = new Set(people.capital_words);
    this.#placeWords = new Set(landmarks.before_capitals);
  }

  /** Place candidates of one segment; they may overlap. */
  find(reading: SegmentReading, segmentIndex: number): readonly EntitySpan[] {
    const matches = this.#matcher.findAll(reading);
    const endsOf = (cue: PlaceCue): ReadonlySet<number> => new Set(matches.filter(({ payload }) => payload === cue).map(({ endToken }) => endToken));
    const context = { strong: endsOf("strong"), weak: endsOf("weak"), near: endsOf("near") };
    const placeTokens = this.#placeTokens(reading);
    return matches.flatMap(({ payload, firstToken, endToken }): readonly EntitySpan[] => {
      const span = { segmentIndex, firstToken, endToken };
      if (payload === "sure") return [{ ...span, label: "LOCATION", score: 0.8 }];
      if (payload === "ambiguous") {
        return this.#hasPlaceContext(reading, span, context) ? [{ ...span, label: "LOCATION", score: 0.7 }] : [];
      }
      if (payload === "landmark") return this.#landmark(reading, span, { near: context.near, placeTokens });
      if (payload === "strong" || payload === "weak") {
        return this.#introduced(reading, { segmentIndex, at: endToken, sure: payload === "strong" });
      }
      return [];
    });
  }

  #placeTokens(reading: SegmentReading): ReadonlySet<number> {
    const tokens = new Set<number>();
    for (const { firstToken, endToken } of this.#gazetteer.findAll(reading)) {
      for (let at = firstToken; at < endToken; at += 1) tokens.add(at);
    }
    return tokens;
  }

  #hasPlaceContext(
    { tokens, isCased }: SegmentReading,
    { firstToken, endToken }: { readonly firstToken: number; readonly endToken: number },
    { strong, weak, near }: Readonly<Record<"strong" | "weak" | "near", ReadonlySet<number>>>,
  ): boolean {
    if (strong.has(firstToken) || weak.has(firstToken) || near.has(firstToken)) return !precededByOf(tokens, firstToken);
    const next = tokens[endToken];
    if (next !== undefined && this.#suffixes.has(next.norm)) return true;
    const midSentence = tokens[firstToken - 1]?.sentence === tokens[firstToken]?.sentence;
    return tokens[firstToken]?.capitalised === true && midSentence && isCased;
  }

  /** A place the gazetteer does not know: one or more capitals after an introducer, or any word after a sure one. */
  #introduced(
    { tokens }: SegmentReading,
    { segmentIndex, at, sure }: { readonly segmentIndex: number; readonly at: number; readonly sure: boolean },
  ): readonly EntitySpan[] {
    const first = tokens[at];
    if (first === undefined || first.clause !== tokens[at - 1]?.clause || this.#notNames.has(first.norm)) return [];
    if (/\d/.test(first.norm)) return [];
    let end = at;
    while (end < tokens.length && end - at < LONGEST_NAME_TOKENS) {
      const token = tokens[end];
      if (token === undefined || token.clause !== first.clause || !token.capitalised || token.norm.length < 3) break;
      end += 1;
    }
    const placed = this.#suffixes.has(tokens[end]?.norm ?? "");
    if (end > at && (sure || placed || this.#isNamedPlace(tokens, at, end)))
      return [{ label: "LOCATION", segmentIndex, firstToken: at, endToken: end, score: 0.7 }];
    if (!sure) return [];
    return [{ label: "LOCATION", segmentIndex, firstToken: at, endToken: at + 1, score: 0.6 }];
  }

  /** "from Mkalama": capitals in mid sentence that are no person's name, after a preposition of place. */
  #isNamedPlace(tokens: SegmentReading["tokens"], at: number, end: number): boolean {
    const [previous, next] = [tokens[at - 1], tokens[end]];
    if (!this.#placeWords.has(previous?.norm ?? "") || NO_PLACE_AFTER.has(previous?.norm ?? "")) return false;
    // "in Class Six", "at Moi Girls": what these words name is found by other rules.
    if (tokens.slice(at, end).some(({ norm }) => this.#names.has(norm) || this.#capitalWords.has(norm))) return false;
    return next === undefined || !/'s$/.test(tokens[end - 1]?.norm ?? "");
  }

  #landmark(
    reading: SegmentReading,
    span: { readonly segmentIndex: number; readonly firstToken: number; readonly endToken: number },
    context: { readonly near: ReadonlySet<number>; readonly placeTokens: ReadonlySet<number> },
  ): readonly EntitySpan[] {
    const { tokens } = reading;
    const clause = tokens[span.firstToken]?.clause;
    const isNamePart = (at: number): boolean => {
      const token = tokens[at];
      if (token === undefined || token.clause !== clause || this.#notNames.has(token.norm)) return false;
      const startsSentence = tokens[at - 1]?.sentence !== token.sentence;
      return context.placeTokens.has(at) || (token.capitalised && !startsSentence && token.norm.length > 1);
    };
    const isLevel = (at: number): boolean => tokens[at]?.clause === clause && this.#levels.has(tokens[at]?.norm ?? "");
    let first = span.firstToken;
    while (isNamePart(first - 1) || isLevel(first - 1)) first -= 1;
    let end = span.endToken;
    const afterOf = OF_WORDS.has(tokens[end]?.norm ?? "") ? end + 1 : end;
    if (isNamePart(afterOf)) {
      end = afterOf;
      while (isNamePart(end) || isLevel(end)) end += 1;
    }
    const named = first < span.firstToken ? hasName(first, span.firstToken, isNamePart) : end > span.endToken;
    if (named || end > span.endToken) {
      return [{ label: "LANDMARK", segmentIndex: span.segmentIndex, firstToken: first, endToken: end, score: 0.8 }];
    }
    // "near the olympic primary school", without capitals: what stands between the preposition and the noun names it.
    for (let start = first; start > first - LONGEST_NAME_TOKENS; start -= 1) {
      const determined = ARTICLES.has(tokens[start - 1]?.norm ?? "") ? start - 1 : start;
      if (context.near.has(determined)) return [{ ...span, label: "LANDMARK", firstToken: start, score: 0.7 }];
      if (tokens[start - 1]?.clause !== clause || this.#notNames.has(tokens[start - 1]?.norm ?? "")) break;
    }
    return [];
  }
}

function toPhrase(name: string): string {
  return normalizeWord(name).replace(/[^\p{L}\p{N}']+/gu, " ");
}

function hasName(from: number, to: number, isNamePart: (at: number) => boolean): boolean {
  for (let at = from; at < to; at += 1) if (isNamePart(at)) return true;
  return false;
}

/** "of" or "ya" before an ambiguous word introduces anything, so it is no sign of a place. */
function precededByOf(tokens: SegmentReading["tokens"], at: number): boolean {
  return OF_WORDS.has(tokens[at - 1]?.norm ?? "");
}
