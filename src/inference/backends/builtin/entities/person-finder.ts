/** Persons of a segment, by what they are called: relations ("my stepfather"), children, strangers and names. */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { EntitySpan } from "./entity-span.js";

export type PersonKind = "name" | "child_relation" | "child_word" | "adult" | "other" | "stranger";

export interface Person {
  readonly kind: PersonKind;
  readonly segmentIndex: number;
  readonly firstToken: number;
  readonly endToken: number;
  readonly gender: "male" | "female" | null;
}

export class PersonFinder {
  readonly #matcher: PhraseMatcher<PersonKind>;
  readonly #possessivesBefore: ReadonlySet<string>;
  readonly #possessivesAfter: ReadonlySet<string>;
  readonly #male: ReadonlySet<string>;
  readonly #female: ReadonlySet<string>;

  constructor({ people }: BuiltinAssets) {
    const groups: readonly (readonly [PersonKind, readonly string[]])[] = [
      ["child_relation", allPhrases(people.relations.child)],
      ["adult", allPhrases(people.relations.adult)],
      ["other", allPhrases(people.relations.other)],
      ["child_word", allPhrases(people.children_words)],
      ["stranger", allPhrases(people.strangers)],
    ];
    this.#matcher = new PhraseMatcher(groups.flatMap(([payload, phrases]) => phrases.map((phrase) => ({ phrase, payload }))));
    this.#possessivesBefore = new Set(people.possessives_before);
    this.#possessivesAfter = new Set(people.possessives_after);
    this.#male = new Set(people.male_words);
    this.#female = new Set(people.female_words);
  }

  /** Persons from left to right, not overlapping; of two readings of the same words the first kind listed wins. */
  find(reading: SegmentReading, segmentIndex: number, names: readonly EntitySpan[]): readonly Person[] {
    const named = names.map(({ firstToken, endToken }) => ({ kind: "name" as const, firstToken, endToken }));
    const matched = this.#matcher.findAll(reading).map(({ payload, firstToken, endToken }) => ({
      kind: payload,
      ...this.#widen(reading, firstToken, endToken),
    }));
    const ranked = [...matched, ...named].sort((left, right) => right.endToken - right.firstToken - (left.endToken - left.firstToken));
    const taken = new Set<number>();
    const kept: Person[] = [];
    for (const person of ranked) {
      let free = true;
      for (let at = person.firstToken; at < person.endToken; at += 1) free &&= !taken.has(at);
      if (!free) continue;
      for (let at = person.firstToken; at < person.endToken; at += 1) taken.add(at);
      kept.push({ ...person, segmentIndex, gender: this.#genderOf(reading, person.firstToken, person.endToken) });
    }
    return kept.sort((left, right) => left.firstToken - right.firstToken);
  }

  /** The gender a pronoun shows, or null. */
  pronounGender(word: string): "male" | "female" | null {
    return word === "he" ? "male" : word === "she" ? "female" : null;
  }

  #widen({ tokens }: SegmentReading, firstToken: number, endToken: number): { firstToken: number; endToken: number } {
    const sentence = tokens[firstToken]?.sentence;
    const before = tokens[firstToken - 1];
    const after = tokens[endToken];
    const owned = before?.sentence === sentence && this.#possessivesBefore.has(before?.norm ?? "");
    const owner = after?.sentence === sentence && this.#possessivesAfter.has(after?.norm ?? "");
    return { firstToken: firstToken - (owned ? 1 : 0), endToken: endToken + (owner ? 1 : 0) };
  }

  #genderOf({ tokens }: SegmentReading, firstToken: number, endToken: number): Person["gender"] {
    for (let at = endToken - 1; at >= firstToken; at -= 1) {
      const word = tokens[at]?.norm ?? "";
      if (this.#male.has(word)) return "male";
      if (this.#female.has(word)) return "female";
    }
    return null;
  }
}
