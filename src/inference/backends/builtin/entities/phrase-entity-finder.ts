/** Entities told by phrases alone: ages, dates, incident types, gender words, relations and organisations. */
import type { EntityLabel } from "../../../../core/entity.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { type PhraseEntry, PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";
import type { EntitySpan } from "./entity-span.js";

interface PhraseEntity {
  readonly label: EntityLabel | "AGE_CONTEXT";
  readonly score: number;
}

const OLDEST_AGE = 120;
const NUMBER_AFTER_AGE_CONTEXT = new Set(["and", "but", "he", "she", "i", "na", "yrs", "now", "this", "living", "from"]);

export class PhraseEntityFinder {
  readonly #matcher: PhraseMatcher<PhraseEntity>;
  readonly #clock: RegExp;
  readonly #possessivesBefore: ReadonlySet<string>;
  readonly #possessivesAfter: ReadonlySet<string>;
  readonly #scopes: ScopeReader;
  /** What an age below a year is counted in. */
  readonly #youngUnits: ReadonlySet<string>;

  constructor(assets: BuiltinAssets, scopes: ScopeReader) {
    const { people, times, incidents, landmarks } = assets;
    const relations = [people.relations.child, people.relations.adult, people.relations.other];
    this.#matcher = new PhraseMatcher([
      ...entriesOf("AGE", 0.8, [times.ages]),
      ...entriesOf("AGE_CONTEXT", 0.6, [times.age_contexts]),
      ...entriesOf("DATE_TIME", 0.7, [times.dates, times.not_ages]),
      ...entriesOf("INCIDENT_TYPE", 0.7, [incidents.incidents]),
      ...entriesOf("GENDER", 0.7, [people.gender]),
      ...entriesOf("RELATION", 0.7, relations),
      ...entriesOf("ORGANISATION", 0.8, [landmarks.organisations]),
    ]);
    this.#clock = new RegExp(times.clock, "giu");
    this.#possessivesBefore = new Set(people.possessives_before);
    this.#possessivesAfter = new Set(people.possessives_after);
    this.#scopes = scopes;
    this.#youngUnits = new Set(times.young_units);
  }

  /** Candidates of one segment; they may overlap. */
  find(reading: SegmentReading, segmentIndex: number): readonly EntitySpan[] {
    const spans: EntitySpan[] = [];
    for (const { payload, firstToken, endToken } of this.#matcher.findAll(reading)) {
      const { label, score } = payload;
      if (label === "AGE_CONTEXT") {
        const age = bareAge(reading, endToken);
        if (age !== null) spans.push({ label: "AGE", segmentIndex, ...age, score });
      } else if (label === "AGE") {
        spans.push({ label, segmentIndex, ...this.#ageWords(reading, firstToken, endToken), score });
      } else if (label === "INCIDENT_TYPE") {
        if (!this.#isDenied(reading, firstToken, endToken)) {
          spans.push({ label, segmentIndex, firstToken, endToken, score });
        }
      } else if (label === "RELATION") {
        spans.push({ label, segmentIndex, ...this.withPossessive(reading, firstToken, endToken), score });
      } else {
        spans.push({ label, segmentIndex, firstToken, endToken, score });
      }
    }
    return [...spans, ...this.#clockTimes(reading, segmentIndex)];
  }

  /** Widens a person's words by "my" before or "yangu" after. */
  withPossessive({ tokens }: SegmentReading, firstToken: number, endToken: number): { readonly firstToken: number; readonly endToken: number } {
    const before = tokens[firstToken - 1];
    const after = tokens[endToken];
    const sentence = tokens[firstToken]?.sentence;
    const owned = before?.sentence === sentence && this.#possessivesBefore.has(before?.norm ?? "");
    const owner = after?.sentence === sentence && this.#possessivesAfter.has(after?.norm ?? "");
    return { firstToken: firstToken - (owned ? 1 : 0), endToken: endToken + (owner ? 1 : 0) };
  }

  /** The number alone where it counts years, else with what it counts: "six months". */
  #ageWords(reading: SegmentReading, firstToken: number, endToken: number): { readonly firstToken: number; readonly endToken: number } {
    const number = reading.numbers.find((found) => found.firstToken >= firstToken && found.endToken <= endToken);
    const words = reading.tokens.slice(firstToken, endToken).map(({ norm }) => norm);
    if (number === undefined) return { firstToken, endToken };
    const unitAt = words.findIndex((word) => this.#youngUnits.has(word));
    if (unitAt < 0) return { firstToken: number.firstToken, endToken: number.endToken };
    return { firstToken: Math.min(number.firstToken, firstToken + unitAt), endToken: Math.max(number.endToken, firstToken + unitAt + 1) };
  }

  #isDenied({ marks, tokens }: SegmentReading, firstToken: number, endToken: number): boolean {
    if (marks.negated[firstToken] === 1 || marks.asked[firstToken] === 1) return true;
    return tokens.slice(firstToken, endToken).some(({ norm }) => this.#scopes.isNegatedVerb(norm));
  }

  #clockTimes(reading: SegmentReading, segmentIndex: number): readonly EntitySpan[] {
    const spans: EntitySpan[] = [];
    for (const match of reading.segment.text.matchAll(this.#clock)) {
      const end = match.index + match[0].length;
      const firstToken = reading.tokens.findIndex(({ startOffset }) => startOffset === match.index);
      const last = reading.tokens.findLastIndex(({ endOffset }) => endOffset <= end);
      if (firstToken >= 0 && reading.tokens[last]?.endOffset === end) {
        spans.push({ label: "DATE_TIME", segmentIndex, firstToken, endToken: last + 1, score: 0.7 });
      }
    }
    return spans;
  }
}

function entriesOf(
  label: PhraseEntity["label"],
  score: number,
  groups: readonly Readonly<Record<string, readonly string[]>>[],
): readonly PhraseEntry<PhraseEntity>[] {
  const payload = { label, score };
  return groups.flatMap((group) => allPhrases(group).map((phrase) => ({ phrase, payload })));
}

/** "I am 14", "she's fourteen": a number after an age context, unless it counts something ("I am one of"). */
function bareAge(reading: SegmentReading, at: number): { firstToken: number; endToken: number } | null {
  const number = reading.numbers.find(({ firstToken }) => firstToken === at);
  if (number === undefined || number.value < 2 || number.value > OLDEST_AGE) return null;
  const next = reading.tokens[number.endToken];
  const same = next !== undefined && next.clause === reading.tokens[at]?.clause;
  if (same && !NUMBER_AFTER_AGE_CONTEXT.has(next.norm)) return null;
  return { firstToken: at, endToken: number.endToken };
}
