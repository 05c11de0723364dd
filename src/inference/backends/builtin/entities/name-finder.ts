/**
 * Personal names: a gazetteer, introducing words ("my name is", "naitwa") and titles; in a text with capitals also a word
 * that has one in mid sentence and is neither a place nor otherwise written so. A gazetteer name that is also a common
 * word ("grace", "baraka") counts only beside an introducer, a title or a sure name, or capitalised in mid sentence. What
 * was once found to be a name is one wherever it is written alike in the call.
 */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { normalizeWord } from "../text/tokenizer.js";
import type { EntitySpan } from "./entity-span.js";

type Introducer = "strong" | "weak";

const LONGEST_NAME_TOKENS = 3;
const ARTICLES = new Set(["the", "a", "an"]);

export class NameFinder {
  readonly #sure: ReadonlySet<string>;
  readonly #ambiguous: ReadonlySet<string>;
  readonly #titles: ReadonlySet<string>;
  readonly #notNames: ReadonlySet<string>;
  /** Words with capitals that are no names: days, languages, places. */
  readonly #otherCapitals: ReadonlySet<string>;
  /** After these a capital is a place more often than a person. */
  readonly #placeWords: ReadonlySet<string>;
  readonly #introducers: PhraseMatcher<Introducer>;

  constructor({ names, people, places, landmarks }: Pick<BuiltinAssets, "names" | "people" | "places" | "landmarks">) {
    const ambiguous = new Set(names.ambiguous.map(normalizeWord));
    const all = names.groups.flatMap((group) => group.names.map(normalizeWord));
    this.#sure = new Set(all.filter((name) => !ambiguous.has(name)));
    this.#ambiguous = ambiguous;
    this.#titles = new Set(people.names.titles);
    this.#notNames = new Set(people.not_names);
    const placeNames = [...places.countries, ...places.kenya, ...places.tanzania, ...places.uganda];
    this.#otherCapitals = new Set([
      ...[...people.capital_words, ...people.helpline_words, ...landmarks.place_suffixes, ...landmarks.school_levels],
      ...placeNames.flatMap((name) => name.split(" ").map(normalizeWord)),
    ]);
    this.#placeWords = new Set(landmarks.before_capitals);
    this.#introducers = new PhraseMatcher<Introducer>([
      ...allPhrases(people.names.strong_introducers).map((phrase) => ({ phrase, payload: "strong" as const })),
      ...allPhrases(people.names.weak_introducers).map((phrase) => ({ phrase, payload: "weak" as const })),
    ]);
  }

  /** Name candidates of a call, segment by segment, not overlapping each other. */
  find(call: CallReading): readonly (readonly EntitySpan[])[] {
    const first = call.map((reading, segmentIndex) => this.#findIn(reading, segmentIndex));
    const capitals = new Set<string>();
    for (const { segmentIndex, firstToken, endToken } of first.flat()) {
      const tokens = call[segmentIndex]?.tokens.slice(firstToken, endToken) ?? [];
      if (endToken - firstToken === 1) for (const { capitalised, norm } of tokens) if (capitalised) capitals.add(withoutOwner(norm));
    }
    return first.map((spans, segmentIndex) => {
      const reading = call[segmentIndex];
      if (reading === undefined) return spans;
      const taken = new Set(spans.flatMap(({ firstToken, endToken }) => Array.from({ length: endToken - firstToken }, (_, index) => firstToken + index)));
      const again = reading.tokens.flatMap(({ norm, capitalised }, at): readonly EntitySpan[] =>
        capitalised && !taken.has(at) && capitals.has(withoutOwner(norm))
          ? [{ label: "NAME", segmentIndex, firstToken: at, endToken: at + 1, score: 0.6 }]
          : [],
      );
      return [...spans, ...again];
    });
  }

  #findIn(reading: SegmentReading, segmentIndex: number): readonly EntitySpan[] {
    const introduced = new Map<number, Introducer>();
    for (const { payload, endToken } of this.#introducers.findAll(reading)) {
      if (introduced.get(endToken) !== "strong") introduced.set(endToken, payload);
    }
    const spans: EntitySpan[] = [];
    let at = 0;
    while (at < reading.tokens.length) {
      const score = this.#startScore(reading, at, introduced.get(at));
      if (score === null) {
        at += 1;
        continue;
      }
      const endToken = this.#nameEnd(reading, at);
      spans.push({ label: "NAME", segmentIndex, firstToken: at, endToken, score });
      at = endToken;
    }
    return spans;
  }

  /** The score with which a name begins at a token, or null. */
  #startScore(reading: SegmentReading, at: number, introducer: Introducer | undefined): number | null {
    const token = reading.tokens[at];
    const previous = reading.tokens[at - 1];
    if (token === undefined || /\d/.test(token.norm) || token.norm.length < 2 || (reading.numberEnds[at] ?? 0) > 0) return null;
    const adjacent = previous !== undefined && previous.clause === token.clause;
    const word = withoutOwner(token.norm);
    if (introducer === "strong" && adjacent && !this.#notNames.has(word)) return 0.9;
    if (this.#sure.has(word)) return 0.8;
    const titled = adjacent && this.#titles.has(previous.norm);
    const midSentenceCapital = token.capitalised && previous?.sentence === token.sentence && reading.isCased;
    if (!this.#ambiguous.has(word)) {
      if (!midSentenceCapital || this.#notNames.has(word) || this.#otherCapitals.has(word)) return null;
      return titled ? 0.8 : this.#isPlain(reading, at) ? 0.6 : null;
    }
    if (reading.isCased && !token.capitalised) return null;
    const next = reading.tokens[at + 1];
    const besideName = next !== undefined && next.clause === token.clause && this.#sure.has(next.norm);
    return titled || midSentenceCapital || besideName || (introducer === "weak" && adjacent) ? 0.7 : null;
  }

  /** A capital that nothing explains but a name: no preposition of place before, no noun that it would be the name of after. */
  #isPlain({ tokens }: SegmentReading, at: number): boolean {
    const [previous, next] = [tokens[at - 1], tokens[at + 1]];
    if (previous === undefined || this.#placeWords.has(previous.norm)) return false;
    // "the Moonlight", "a Sunday": names take no article.
    if (ARTICLES.has(previous.norm)) return false;
    const belongs = next !== undefined && next.clause === tokens[at]?.clause && next.capitalised && this.#otherCapitals.has(next.norm);
    return !belongs;
  }

  /** Takes in following name words: list entries, or capitals after a capital. */
  #nameEnd(reading: SegmentReading, first: number): number {
    let end = first + 1;
    while (end < reading.tokens.length && end - first < LONGEST_NAME_TOKENS) {
      const token = reading.tokens[end];
      const previous = reading.tokens[end - 1];
      if (token === undefined || previous?.clause !== token.clause || previous.norm.endsWith("'s")) break;
      const listed = this.#sure.has(token.norm) || this.#ambiguous.has(token.norm);
      const capitals = token.capitalised && previous.capitalised && token.norm.length > 1;
      const isOther = this.#notNames.has(token.norm) || this.#otherCapitals.has(token.norm);
      if (!(listed && (token.capitalised || !previous.capitalised)) && !(capitals && !isOther)) break;
      end += 1;
    }
    return end;
  }
}

function withoutOwner(norm: string): string {
  return norm.replace(/'s$/, "");
}
