/** Who calls, about which child, how old, and who did it: chosen among the entities by how the call speaks of them. */
import type { Entity, EntityLabel } from "../../../../core/entity.js";
import type { Evidence } from "../../../../core/evidence.js";
import type { FactLexicon, PeopleLexicon } from "../asset-schemas.js";
import type { CallReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { type Fact, isCaller, replyTo } from "./caller-turns.js";

/** Where an entity is said. */
interface Mention {
  readonly label: EntityLabel;
  readonly text: string;
  readonly evidence: Evidence;
  readonly segmentIndex: number;
  /** How often the call says it. */
  readonly count: number;
  readonly score: number;
}

const PERSONS: ReadonlySet<EntityLabel> = new Set(["NAME", "VICTIM", "PERPETRATOR"]);
const FIRST_ADULT_AGE = 20;
const FIRST_GROWN_UP_CALLER = 18;
/** So many words may stand between an introduction and the name. */
const NEAR_WORDS = 2;

export class PersonFacts {
  readonly #descriptions: ReadonlySet<string>;
  readonly #selfWords: ReadonlySet<string>;
  readonly #helplineWords: ReadonlySet<string>;
  readonly #ownNames: PhraseMatcher<true>;
  readonly #childNames: PhraseMatcher<true>;
  readonly #nameQuestions: PhraseMatcher<true>;
  readonly #ownAgeQuestions: PhraseMatcher<true>;

  constructor(people: PeopleLexicon, facts: FactLexicon) {
    const { relations, strangers, children_words: children, gender, possessives_before: before, possessives_after: after, articles } = people;
    const phrases = [relations.child, relations.adult, relations.other, strangers, children, gender].flatMap(allPhrases);
    this.#descriptions = new Set([...phrases, ...before, ...after, ...articles].flatMap((phrase) => phrase.split(/[\s|?]+/)));
    this.#selfWords = new Set(people.self_age_words);
    this.#helplineWords = new Set(people.helpline_words);
    const matcher = (cues: Readonly<Record<string, readonly string[]>>): PhraseMatcher<true> =>
      new PhraseMatcher(allPhrases(cues).map((phrase) => ({ phrase, payload: true })));
    this.#ownNames = matcher(facts.caller_name_introducers);
    this.#childNames = matcher(facts.child_name_introducers);
    this.#nameQuestions = matcher(facts.caller_name_questions);
    this.#ownAgeQuestions = matcher(facts.own_age_questions);
  }

  callerName(call: CallReading, entities: readonly Entity[]): Fact | null {
    const names = this.#names(call, entities);
    const own = this.#introduced(call, names, this.#ownNames).find(({ segmentIndex }) => {
      const turn = call[segmentIndex];
      return turn !== undefined && isCaller(turn) && !turn.tokens.some(({ norm }) => this.#helplineWords.has(norm));
    });
    if (own !== undefined) return factOf(own, 0.85);
    for (const [index, turn] of call.entries()) {
      if (turn.segment.channel !== "agent" || this.#nameQuestions.findAll(turn).length === 0) continue;
      const reply = replyTo(call, index);
      const told = names.find(({ segmentIndex, evidence }) => call[segmentIndex] === reply && !this.#isOfAnother(call, evidence, segmentIndex));
      if (told !== undefined) return factOf(told, 0.75);
    }
    return null;
  }

  childName(call: CallReading, entities: readonly Entity[]): Fact | null {
    const names = this.#names(call, entities);
    const victims = names.filter(({ label }) => label === "VICTIM").sort((one, other) => other.count - one.count || one.segmentIndex - other.segmentIndex);
    const introduced = this.#introduced(call, names, this.#childNames).find(({ segmentIndex, label }) => {
      const turn = call[segmentIndex];
      return label !== "PERPETRATOR" && turn !== undefined && isCaller(turn);
    });
    if (victims[0] !== undefined) return factOf(victims[0], 0.7);
    if (introduced !== undefined) return factOf(introduced, 0.6);
    return this.#isChildCalling(call, entities) ? this.callerName(call, entities) : null;
  }

  /** The first age of somebody who may be a child. */
  childAge(call: CallReading, entities: readonly Entity[]): Fact | null {
    const ages = mentionsOf(call, entities, (label) => label === "AGE").filter((mention) => (ageOf(call, mention) ?? 0) < FIRST_ADULT_AGE);
    const told = ages.find(({ segmentIndex }) => isCaller(call[segmentIndex] as CallReading[number])) ?? ages[0];
    return told === undefined ? null : factOf(told, 0.7);
  }

  /** Whoever is said most to have done harm. */
  perpetrator(call: CallReading, entities: readonly Entity[], incident: Fact | null): Fact | null {
    const isNear = ({ evidence }: Mention): boolean => evidence.segmentId === incident?.evidence.segmentId;
    const accused = mentionsOf(call, entities, (label) => label === "PERPETRATOR").filter(
      ({ segmentIndex, evidence }) => isCaller(call[segmentIndex] as CallReading[number]) || evidence.channel !== "agent",
    );
    const [first] = accused.sort(
      (one, other) => Number(isNear(other)) - Number(isNear(one)) || other.count - one.count || one.segmentIndex - other.segmentIndex,
    );
    if (first !== undefined) return factOf(first, 0.65);
    const inside =
      incident === null
        ? []
        : mentionsOf(call, entities, (label) => label === "RELATION").filter(
            ({ evidence }) =>
              isNear({ evidence } as Mention) && evidence.startOffset >= incident.evidence.startOffset && evidence.endOffset <= incident.evidence.endOffset,
          );
    return inside[0] === undefined ? null : factOf(inside[0], 0.4);
  }

  #names(call: CallReading, entities: readonly Entity[]): readonly Mention[] {
    return mentionsOf(call, entities, (label) => PERSONS.has(label)).filter(({ text }) => this.#isName(text));
  }

  /** "Brian", and not "my brother". */
  #isName(text: string): boolean {
    return text
      .toLowerCase()
      .split(/[\s,]+/)
      .every((word) => !this.#descriptions.has(word));
  }

  /** Names that follow an introduction, in the order of the call. */
  #introduced(call: CallReading, names: readonly Mention[], introducers: PhraseMatcher<true>): readonly Mention[] {
    return names.filter(({ segmentIndex, evidence }) => {
      const turn = call[segmentIndex];
      if (turn === undefined) return false;
      const at = turn.tokens.findIndex(({ startOffset }) => startOffset >= evidence.startOffset);
      return introducers
        .findAll(turn)
        .some(({ endToken }) => endToken <= at && at - endToken < NEAR_WORDS && turn.tokens[endToken - 1]?.sentence === turn.tokens[at]?.sentence);
    });
  }

  #isOfAnother(call: CallReading, evidence: Evidence, segmentIndex: number): boolean {
    const turn = call[segmentIndex];
    const before = turn?.tokens.filter(({ endOffset }) => endOffset <= evidence.startOffset).slice(-NEAR_WORDS) ?? [];
    return before.some(({ norm }) => this.#descriptions.has(norm) || norm === "anaitwa");
  }

  /** "I am eleven": an age under eighteen beside a word of oneself, or told when asked for one's own. */
  #isChildCalling(call: CallReading, entities: readonly Entity[]): boolean {
    return mentionsOf(call, entities, (label) => label === "AGE").some((mention) => {
      const turn = call[mention.segmentIndex];
      if (turn === undefined || !isCaller(turn) || (ageOf(call, mention) ?? FIRST_GROWN_UP_CALLER) >= FIRST_GROWN_UP_CALLER) return false;
      const before = call[mention.segmentIndex - 1];
      if (before?.segment.channel === "agent" && this.#ownAgeQuestions.findAll(before).length > 0) return true;
      const age = turn.tokens.find(({ startOffset }) => startOffset >= mention.evidence.startOffset);
      return turn.tokens.some(({ norm, sentence }) => sentence === age?.sentence && this.#selfWords.has(norm));
    });
  }
}

/** All mentions of entities with such a label that are not merely asked about, in time order. */
export function mentionsOf(call: CallReading, entities: readonly Entity[], accepts: (label: EntityLabel) => boolean): readonly Mention[] & Mention[] {
  const indexOf = new Map(call.map(({ segment }, index) => [segment.id, index]));
  return entities
    .filter(({ label }) => accepts(label))
    .flatMap(({ label, text, score, mentions }) =>
      mentions.flatMap((evidence) => {
        const segmentIndex = indexOf.get(evidence.segmentId);
        return segmentIndex === undefined ? [] : [{ label, text, evidence, segmentIndex, count: mentions.length, score }];
      }),
    )
    .sort((one, other) => one.segmentIndex - other.segmentIndex || one.evidence.startOffset - other.evidence.startOffset);
}

function ageOf(call: CallReading, { segmentIndex, evidence }: Mention): number | undefined {
  const turn = call[segmentIndex];
  return turn?.numbers.find(({ firstToken }) => (turn.tokens[firstToken]?.startOffset ?? -1) >= evidence.startOffset)?.value;
}

function factOf({ evidence }: Mention, score: number): Fact {
  return { evidence, score };
}
