/**
 * Who did it and who suffers: PERPETRATOR is a person an abusive act is bound to; VICTIM is the child it happens to, by
 * name where the call gives one, else by description ("my daughter"). A child caller that reports about itself and says
 * its name is the victim.
 */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { type ActFinder, lastDoer } from "./act-finder.js";
import type { EntitySpan } from "./entity-span.js";
import type { Person, PersonFinder } from "./person-finder.js";

const ADULT_AGE = 18;
/** Words that may stand between "my daughter" and her name. */
const LINK_TOKENS = 3;
const AGE_TOKENS = 6;

type SelfCue = "introducer" | "school";

export interface RoleInput {
  readonly call: CallReading;
  /** Name and age candidates of the whole call. */
  readonly names: readonly EntitySpan[];
  readonly ages: readonly EntitySpan[];
  readonly signal: AbortSignal;
}

export class RoleFinder {
  readonly #persons: PersonFinder;
  readonly #acts: ActFinder;
  readonly #self: PhraseMatcher<SelfCue>;
  readonly #selfAgeWords: ReadonlySet<string>;
  readonly #helplineWords: ReadonlySet<string>;
  readonly #links: ReadonlySet<string>;

  constructor({ people }: BuiltinAssets, persons: PersonFinder, acts: ActFinder) {
    this.#persons = persons;
    this.#acts = acts;
    this.#self = new PhraseMatcher<SelfCue>([
      ...allPhrases(people.self_introducers).map((phrase) => ({ phrase, payload: "introducer" as const })),
      ...allPhrases(people.school_cues).map((phrase) => ({ phrase, payload: "school" as const })),
    ]);
    this.#selfAgeWords = new Set(people.self_age_words);
    this.#helplineWords = new Set(people.helpline_words);
    this.#links = new Set(people.name_links);
  }

  /** PERPETRATOR and VICTIM candidates of the whole call. */
  find(input: RoleInput): readonly EntitySpan[] {
    const spans: EntitySpan[] = [];
    const lastByChannel = new Map<string, Person | null>();
    const children: Person[] = [];
    let acted = false;
    let selfSuffers = false;
    input.call.forEach((reading, segmentIndex) => {
      input.signal.throwIfAborted();
      const names = input.names.filter((name) => name.segmentIndex === segmentIndex);
      const persons = this.#persons.find(reading, segmentIndex, names);
      const last = lastByChannel.get(reading.segment.channel) ?? null;
      for (const { doer, sufferer } of this.#acts.find(reading, persons, last)) {
        acted = true;
        if (doer !== null) spans.push(roleSpan("PERPETRATOR", doer));
        if (sufferer === "self") selfSuffers ||= reading.segment.channel !== "agent";
        else if (sufferer !== null) spans.push(roleSpan("VICTIM", sufferer));
      }
      children.push(...this.#namedChildren(reading, persons, input));
      lastByChannel.set(reading.segment.channel, lastDoer(persons) ?? last);
    });
    if (!acted) return [];
    const self = selfSuffers ? this.#selfNames(input) : [];
    const victims = [...children, ...self].map((person) => roleSpan("VICTIM", person));
    const blamed = new Set(spans.filter(({ label }) => label === "PERPETRATOR").map(placeOf));
    return [...spans, ...victims.filter((victim) => !blamed.has(placeOf(victim)))];
  }

  /** Names bound to a child: "my daughter is called Grace", "Brian is twelve years old". */
  #namedChildren(reading: SegmentReading, persons: readonly Person[], { ages }: RoleInput): readonly Person[] {
    return persons.filter((person, index) => {
      if (person.kind !== "name") return false;
      const before = persons[index - 1];
      if (before?.kind === "child_relation" || before?.kind === "child_word") {
        const between = reading.tokens.slice(before.endToken, person.firstToken);
        if (between.length <= LINK_TOKENS && between.every(({ norm }) => this.#links.has(norm))) return true;
      }
      const age = ages.find(
        ({ segmentIndex, firstToken }) =>
          segmentIndex === person.segmentIndex &&
          firstToken >= person.endToken &&
          firstToken - person.endToken <= AGE_TOKENS &&
          reading.tokens[firstToken]?.sentence === reading.tokens[person.endToken - 1]?.sentence,
      );
      if (age === undefined || !isChildAge(reading, age)) return false;
      const between = reading.tokens.slice(person.endToken, age.endToken).map(({ norm }) => norm);
      return !between.some((word) => this.#selfAgeWords.has(word));
    });
  }

  /** The caller's own name, when the caller says or shows that it is a child. */
  #selfNames({ call, names, ages }: RoleInput): readonly Person[] {
    const spoken = call.map(({ segment, tokens }) => {
      return segment.channel !== "agent" && !tokens.some(({ norm }) => this.#helplineWords.has(norm));
    });
    const cues = call.map((reading, index) => (spoken[index] === true ? this.#self.findAll(reading) : []));
    const schoolChild = cues.some((found) => found.some(({ payload }) => payload === "school"));
    const youngSelf = ages.some((age) => {
      const reading = call[age.segmentIndex];
      if (reading === undefined || spoken[age.segmentIndex] !== true || !isChildAge(reading, age)) return false;
      const lead = reading.tokens.slice(Math.max(0, age.firstToken - 2), age.firstToken + 1);
      return lead.some(({ norm }) => this.#selfAgeWords.has(norm)) || reading.tokens.length <= AGE_TOKENS;
    });
    if (!schoolChild && !youngSelf) return [];
    return names
      .filter(({ segmentIndex, firstToken }) => (cues[segmentIndex] ?? []).some(({ payload, endToken }) => payload === "introducer" && endToken === firstToken))
      .map(({ segmentIndex, firstToken, endToken }) => {
        return { kind: "name" as const, segmentIndex, firstToken, endToken, gender: null };
      });
  }
}

function roleSpan(label: "PERPETRATOR" | "VICTIM", { segmentIndex, firstToken, endToken }: Person): EntitySpan {
  return { label, segmentIndex, firstToken, endToken, score: 0.6 };
}

function placeOf({ segmentIndex, firstToken }: EntitySpan): string {
  return `${segmentIndex}:${firstToken}`;
}

function isChildAge({ numbers }: SegmentReading, { firstToken, endToken }: EntitySpan): boolean {
  const number = numbers.find((span) => span.firstToken >= firstToken && span.endToken <= endToken);
  return number !== undefined && number.value < ADULT_AGE;
}
