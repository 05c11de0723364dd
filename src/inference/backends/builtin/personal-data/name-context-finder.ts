/**
 * Names by the company they keep, also where nothing is written with a capital: after a word for a person ("my aunt joy",
 * "koplo haji"), before a verb that only persons have ("neema ana miaka"), beside another name ("faith and hope", "juma
 * mkono"), or shaped as names of one people are ("chepng'eno"). In a text with capitals a name has one.
 */
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { matcherOf, type PhraseMatcher } from "../text/phrase-matcher.js";
import { oneToken, type TokenRange } from "../text/tokenizer.js";
import { isEnglishForm, isSwahiliVerb, SWAHILI_VERB_OF_PERSON } from "./word-shapes.js";

const LEAST_LETTERS = 3;
const LEAST_SHAPED = 5;
/** A name grows by so many words on each side. */
const LONGEST_EXTENSION = 2;
const LINKS = new Set(["and", "na"]);
/** Letters one by one, that a caller spells a name with. */
const LEAST_SPELT = 4;

export interface NameContextWords {
  /** Plain words. */
  readonly common: ReadonlySet<string>;
  /** Names of the gazetteer, also those that are words. */
  readonly listed: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
  readonly isKnown: (word: string) => boolean;
}

export class NameContextFinder {
  readonly #words: NameContextWords;
  readonly #people: PhraseMatcher<true>;
  readonly #titles: ReadonlySet<string>;
  readonly #personVerbs: ReadonlySet<string>;
  readonly #unknownVerbs: ReadonlySet<string>;
  readonly #weak: ReadonlySet<string>;
  readonly #shapes: RegExp;

  constructor({ people, personalData }: Pick<BuiltinAssets, "people" | "personalData">, words: NameContextWords) {
    const { name_contexts: contexts } = personalData;
    // "Koplo" leads to a name, and is none.
    const cueWords = contexts.introducers.flatMap((phrase) => phrase.split(/[\s|?]+/)).filter((word) => word !== "");
    this.#words = { ...words, common: new Set([...words.common, ...cueWords]) };
    const relations = [...Object.values(people.relations), people.strangers, people.children_words].flatMap(allPhrases);
    const owned = relations.map((phrase) => `${phrase} ${people.possessives_after.join("|")}`);
    this.#people = matcherOf([...relations, ...owned, ...contexts.introducers]);
    this.#titles = new Set(contexts.titles_of_names);
    this.#personVerbs = new Set(contexts.person_verbs);
    this.#unknownVerbs = new Set(contexts.verbs_after_unknown);
    this.#weak = new Set(contexts.weak_names);
    this.#shapes = new RegExp(`^(?:${contexts.shapes.join("|")})$`, "u");
  }

  /** @param named - where names were found already. @returns those, grown, and more; they may overlap. */
  find(reading: SegmentReading, named: readonly TokenRange[]): readonly TokenRange[] {
    const cued = [...this.#introduced(reading), ...this.#subjects(reading), ...this.#shaped(reading)];
    const sure = [...named, ...cued];
    return [...[...sure, ...this.#linked(reading, sure)].map((range) => this.#grown(reading, range)), ...spelt(reading)];
  }

  #introduced(reading: SegmentReading): readonly TokenRange[] {
    return this.#people.findAll(reading).flatMap(({ endToken }) => {
      const isNext = reading.tokens[endToken]?.clause === reading.tokens[endToken - 1]?.clause;
      return isNext && this.#mayBeName(reading, endToken) ? [oneToken(endToken)] : [];
    });
  }

  #subjects(reading: SegmentReading): readonly TokenRange[] {
    return reading.tokens.flatMap(({ clause, norm }, at) => {
      const next = reading.tokens[at + 1];
      if (next === undefined || next.clause !== clause || !this.#mayBeName(reading, at)) return [];
      const isOfPerson = this.#personVerbs.has(next.norm) || SWAHILI_VERB_OF_PERSON.test(next.norm);
      const isUnknown = this.#unknownVerbs.has(next.norm) && !this.#words.isKnown(norm);
      return isOfPerson || isUnknown ? [oneToken(at)] : [];
    });
  }

  #shaped(reading: SegmentReading): readonly TokenRange[] {
    return reading.tokens.flatMap(({ norm }, at) =>
      norm.length >= LEAST_SHAPED && this.#shapes.test(norm) && !this.#words.places.has(norm) && this.#mayBeName(reading, at) ? [oneToken(at)] : [],
    );
  }

  /** "Faith and Hope", of which one is known to be a name. */
  #linked(reading: SegmentReading, named: readonly TokenRange[]): readonly TokenRange[] {
    const { tokens } = reading;
    return named.flatMap(({ firstToken, endToken }) => {
      const before = LINKS.has(tokens[firstToken - 1]?.norm ?? "") && this.#mayBeName(reading, firstToken - 2) ? [oneToken(firstToken - 2)] : [];
      const after = LINKS.has(tokens[endToken]?.norm ?? "") && this.#mayBeName(reading, endToken + 1) ? [oneToken(endToken + 1)] : [];
      return [...before, ...after];
    });
  }

  /** Takes in unknown words beside a name, and what one is addressed by. */
  #grown(reading: SegmentReading, { firstToken, endToken }: TokenRange): TokenRange {
    const { tokens } = reading;
    const clause = tokens[firstToken]?.clause;
    const isPart = (at: number): boolean => tokens[at]?.clause === clause && this.#mayBeName(reading, at) && !this.#words.places.has(tokens[at]?.norm ?? "");
    let [first, end] = [firstToken, endToken];
    const isOwner = /'s$/.test(tokens[end - 1]?.norm ?? "");
    while (!isOwner && end - endToken < LONGEST_EXTENSION && (isPart(end) || (tokens[end]?.norm === "ole" && isPart(end + 1)))) end += 1;
    while (firstToken - first < LONGEST_EXTENSION && isPart(first - 1) && !this.#words.isKnown(tokens[first - 1]?.norm ?? "")) first -= 1;
    const title = tokens[first - 1];
    // "Mr. Mushi": the mark ends a sentence for who cannot tell.
    if (title !== undefined && this.#titles.has(title.norm) && (tokens[first]?.startOffset ?? 0) - title.endOffset <= 2) first -= 1;
    return { firstToken: first, endToken: end };
  }

  #isWord(word: string): boolean {
    const { common } = this.#words;
    return common.has(word) || isEnglishForm(word, (stem) => common.has(stem));
  }

  #mayBeName({ tokens, numberEnds, isCased }: SegmentReading, at: number): boolean {
    const token = tokens[at];
    const word = token?.norm.replace(/'s$/, "") ?? "";
    if (token === undefined || word.length < LEAST_LETTERS || /\d/.test(word) || numberEnds[at] !== 0 || this.#weak.has(word)) return false;
    if (isCased && !token.capitalised) return false;
    return this.#words.listed.has(word) || (!this.#isWord(word) && !isSwahiliVerb(word));
  }
}

function spelt({ tokens, segment }: SegmentReading): readonly TokenRange[] {
  const found: TokenRange[] = [];
  let first = 0;
  for (let at = 1; at <= tokens.length; at += 1) {
    const gap = segment.text.slice(tokens[at - 1]?.endOffset, tokens[at]?.startOffset);
    const isLetter = (index: number): boolean => /^\p{L}$/u.test(tokens[index]?.norm ?? "");
    if (at < tokens.length && isLetter(at) && isLetter(at - 1) && /^[\s.-]*$/.test(gap)) continue;
    if (at - first >= LEAST_SPELT && isLetter(first)) found.push({ firstToken: first, endToken: at });
    first = at;
  }
  return found;
}
