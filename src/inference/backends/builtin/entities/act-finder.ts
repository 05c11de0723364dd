/**
 * Abusive acts and who stands at each end of them: "my stepfather beats me", "she was raped by her uncle",
 * "baba wa kambo ananipiga", "alibakwa na jirani". Rules over word order, not a parse.
 */

import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import type { ScopeReader } from "../text/scope-reader.js";
import type { Person, PersonFinder } from "./person-finder.js";

export interface ActRoles {
  readonly doer: Person | null;
  /** `"self"` when the speaker says it of itself. */
  readonly sufferer: Person | "self" | null;
}

type ActKind = "active" | "active_sw" | "active_sw_self" | "bare" | "passive" | "passive_sw";

interface Act {
  readonly kind: ActKind;
  readonly firstToken: number;
  readonly endToken: number;
}

/** How many words may stand between a person and the act ("my father [has been always] beating me"). */
const NEAR_TOKENS = 4;
/** How far back a pronoun or a Swahili verb may find its subject in the same sentence. */
const PRONOUN_TOKENS = 16;
const THIRD_PERSON = new Set(["he", "she", "they", "he's", "she's", "they're", "who"]);
const SELF_SUBJECT = new Set(["i", "we", "i'm", "mimi"]);
const SELF_OBJECT = new Set(["me", "us"]);
const SW_SELF_SUBJECT = /^(?:ni|na|tu)\p{L}{4,}wa$/u;

export class ActFinder {
  readonly #matcher: PhraseMatcher<ActKind>;
  readonly #persons: PersonFinder;
  readonly #scopes: ScopeReader;
  readonly #beWords: ReadonlySet<string>;
  readonly #articles: ReadonlySet<string>;

  constructor({ people }: BuiltinAssets, persons: PersonFinder, scopes: ScopeReader) {
    const active = people.acts.active;
    const swahili = active["sw"] ?? [];
    const sufferedBySelf = (phrase: string): boolean => /^\*(?:ni|tu)/.test(phrase);
    // The first English phrase lists the plain verbs of harm; alone they count when a child follows ("beats Grace").
    const bare = active["en"]?.[0]?.split(" ")[0] ?? "beats";
    const groups: readonly (readonly [ActKind, readonly string[]])[] = [
      ["active", active["en"] ?? []],
      ["active_sw", swahili.filter((phrase) => !sufferedBySelf(phrase))],
      ["active_sw_self", swahili.filter(sufferedBySelf)],
      ["bare", [bare]],
      ["passive", people.acts.passive["en"] ?? []],
      ["passive_sw", people.acts.passive["sw"] ?? []],
    ];
    this.#matcher = new PhraseMatcher(groups.flatMap(([payload, phrases]) => phrases.map((phrase) => ({ phrase, payload }))));
    this.#persons = persons;
    this.#scopes = scopes;
    this.#beWords = new Set(people.be_words);
    this.#articles = new Set([...people.articles, ...people.possessives_before]);
  }

  /** Roles of every act that is stated; `lastPerson` is who was spoken of before, for a pronoun that opens a sentence. */
  find(reading: SegmentReading, persons: readonly Person[], lastPerson: Person | null): readonly ActRoles[] {
    return this.#matcher.findAll(reading).flatMap(({ payload, firstToken, endToken }) => {
      const act = { kind: payload, firstToken, endToken };
      if (this.#isDenied(reading, act)) return [];
      const sentencePersons = persons.filter(({ firstToken: at }) => sameSentence(reading, at, firstToken));
      const earlier = persons.findLast((person) => canDo(person) && person.endToken <= firstToken) ?? lastPerson;
      const roles = act.kind.startsWith("passive")
        ? this.#passiveRoles(reading, act, sentencePersons)
        : this.#activeRoles(reading, act, sentencePersons, earlier);
      return roles === null ? [] : [roles];
    });
  }

  #isDenied({ marks, tokens }: SegmentReading, { firstToken, endToken }: Act): boolean {
    if (marks.negated[firstToken] === 1 || marks.asked[firstToken] === 1) return true;
    return tokens.slice(firstToken, endToken).some(({ norm }) => this.#scopes.isNegatedVerb(norm));
  }

  #activeRoles(reading: SegmentReading, act: Act, persons: readonly Person[], lastPerson: Person | null): ActRoles | null {
    const sufferer = this.#objectOf(reading, act, persons);
    if (act.kind === "bare" && (sufferer === null || sufferer === "self")) return null;
    const doer = this.#subjectOf(
      reading,
      act,
      persons.filter((person) => person !== sufferer),
      lastPerson,
    );
    return { doer, sufferer };
  }

  #objectOf(reading: SegmentReading, act: Act, persons: readonly Person[]): ActRoles["sufferer"] {
    const last = reading.tokens[act.endToken - 1]?.norm ?? "";
    const object = persons.find(({ firstToken }) => firstToken === act.endToken || firstToken === act.endToken - 1);
    if (object !== undefined && isChild(object)) return object;
    if (act.kind === "active_sw_self") return "self";
    if (act.kind !== "active") return null;
    return SELF_OBJECT.has(last) || (last === "my" && object === undefined) ? "self" : null;
  }

  #subjectOf({ tokens }: SegmentReading, act: Act, persons: readonly Person[], lastPerson: Person | null): Person | null {
    const before = persons.filter(({ endToken }) => endToken <= act.firstToken);
    const between = tokens.slice(before.at(-1)?.endToken ?? 0, act.firstToken).map(({ norm }) => norm);
    const nearest = before.at(-1) ?? null;
    const window = tokens.slice(Math.max(0, act.firstToken - NEAR_TOKENS), act.firstToken).map(({ norm }) => norm);
    const pronoun = window.findLast((word) => THIRD_PERSON.has(word));
    const selfBetween = (nearest === null ? window : between).some((word) => SELF_SUBJECT.has(word));
    if (pronoun === undefined && nearest !== null && act.firstToken - nearest.endToken <= NEAR_TOKENS) {
      return selfBetween || !canDo(nearest) ? null : nearest;
    }
    if (pronoun === undefined && !act.kind.startsWith("active_sw")) return null;
    const gender = this.#persons.pronounGender((pronoun ?? "").replace(/'s$/, ""));
    const fits = (person: Person): boolean => canDo(person) && (gender === null || person.gender === null || person.gender === gender);
    const candidate = before.findLast((person) => act.firstToken - person.endToken <= PRONOUN_TOKENS && fits(person));
    if (candidate !== undefined) return candidate;
    return nearest === null && lastPerson !== null && fits(lastPerson) ? lastPerson : null;
  }

  #passiveRoles(reading: SegmentReading, act: Act, persons: readonly Person[]): ActRoles | null {
    const { tokens } = reading;
    const swahili = act.kind === "passive_sw";
    const window = tokens.slice(Math.max(0, act.firstToken - NEAR_TOKENS), act.firstToken);
    const beAt = window.findLastIndex(({ norm }) => this.#beWords.has(norm));
    const by = this.#byPerson(reading, act, persons, swahili ? "na" : "by");
    if (!swahili && beAt < 0 && by === null) return null;
    const verbAt = swahili || beAt < 0 ? act.firstToken : act.firstToken - window.length + beAt;
    const subjectWord = tokens[verbAt - 1]?.norm ?? "";
    const beWord = tokens[verbAt]?.norm ?? "";
    const selfSaid = swahili ? SW_SELF_SUBJECT.test(beWord) : SELF_SUBJECT.has(subjectWord) || beWord === "am" || beWord === "i'm";
    const subject = persons.findLast(({ endToken }) => endToken <= verbAt && verbAt - endToken <= NEAR_TOKENS);
    const sufferer = selfSaid ? "self" : subject !== undefined && isChild(subject) ? subject : null;
    return { doer: by, sufferer };
  }

  #byPerson({ tokens }: SegmentReading, act: Act, persons: readonly Person[], word: string): Person | null {
    for (let at = act.endToken; at < act.endToken + NEAR_TOKENS; at += 1) {
      if (tokens[at]?.norm !== word) continue;
      const start = this.#articles.has(tokens[at + 1]?.norm ?? "") ? [at + 1, at + 2, at + 3] : [at + 1];
      return persons.find(({ firstToken }) => start.includes(firstToken)) ?? null;
    }
    return null;
  }
}

/** The last person of a segment who could do harm, for a pronoun in what follows. */
export function lastDoer(persons: readonly Person[]): Person | null {
  return persons.findLast(canDo) ?? null;
}

function canDo({ kind }: Person): boolean {
  return kind !== "child_word";
}

function isChild({ kind }: Person): boolean {
  return kind === "child_relation" || kind === "child_word" || kind === "name";
}

function sameSentence({ tokens }: SegmentReading, left: number, right: number): boolean {
  return tokens[left]?.sentence === tokens[right]?.sentence;
}
