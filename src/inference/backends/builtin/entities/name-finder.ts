/**
 * Personal names: a gazetteer, introducing words ("my name is", "naitwa") and titles. A gazetteer name that is also a
 * common word ("grace", "baraka") counts only beside an introducer, a title or a sure name, or capitalised in mid
 * sentence.
 */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { normalizeWord } from "../text/tokenizer.js";
import type { EntitySpan } from "./entity-span.js";

type Introducer = "strong" | "weak";

const LONGEST_NAME_TOKENS = 3;

export class NameFinder {
  readonly #sure: ReadonlySet<string>;
  readonly #ambiguous: ReadonlySet<string>;
  readonly #titles: ReadonlySet<string>;
  readonly #notNames: ReadonlySet<string>;
  readonly #introducers: PhraseMatcher<Introducer>;

  constructor({ names, people }: BuiltinAssets) {
    const ambiguous = new Set(names.ambiguous.map(normalizeWord));
    const all = names.groups.flatMap((group) => group.names.map(normalizeWord));
    this.#sure = new Set(all.filter((name) => !ambiguous.has(name)));
    this.#ambiguous = ambiguous;
    this.#titles = new Set(people.names.titles);
    this.#notNames = new Set(people.not_names);
    this.#introducers = new PhraseMatcher<Introducer>([
      ...allPhrases(people.names.strong_introducers).map((phrase) => ({ phrase, payload: "strong" as const })),
      ...allPhrases(people.names.weak_introducers).map((phrase) => ({ phrase, payload: "weak" as const })),
    ]);
  }

  /** Name candidates of one segment, not overlapping each other. */
  find(reading: SegmentReading, segmentIndex: number): readonly EntitySpan[] {
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
    if (token === undefined || /\d/.test(token.norm) || token.norm.length < 2) return null;
    const adjacent = previous !== undefined && previous.clause === token.clause;
    const word = token.norm.replace(/'s$/, "");
    if (introducer === "strong" && adjacent && !this.#notNames.has(word)) return 0.9;
    if (this.#sure.has(word)) return 0.8;
    const titled = adjacent && this.#titles.has(previous.norm);
    const midSentenceCapital = token.capitalised && adjacent && hasLowerCase(reading);
    if (!this.#ambiguous.has(word)) return titled && midSentenceCapital && !this.#notNames.has(word) ? 0.8 : null;
    const next = reading.tokens[at + 1];
    const besideName = next !== undefined && next.clause === token.clause && this.#sure.has(next.norm);
    return titled || midSentenceCapital || besideName || (introducer === "weak" && adjacent) ? 0.7 : null;
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
      if (!(listed && (token.capitalised || !previous.capitalised)) && !(capitals && !this.#notNames.has(token.norm))) break;
      end += 1;
    }
    return end;
  }
}

function hasLowerCase({ segment }: SegmentReading): boolean {
  return /\p{Ll}/u.test(segment.text);
}
