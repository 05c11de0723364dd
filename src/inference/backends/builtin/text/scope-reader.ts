/**
 * Marks which words of a segment are denied ("nobody hits me", "hajanipiga"), past ("used to"), supposed ("if") or asked
 * by the counsellor. Rules only: a denial reaches a few words forward and stops at a comma, at "but", "because" and the
 * like, and at a new subject ("I cannot sleep, he beats me" denies nothing about beating).
 */
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { PhrasesByLanguage, ScopeLexicon } from "../asset-schemas.js";
import { allPhrases } from "./lexicon-phrases.js";
import { PhraseMatcher } from "./phrase-matcher.js";
import type { TextReading } from "./text-reading.js";
import type { Sentence } from "./tokenizer.js";

/** One byte per token, 1 where the mark holds. */
export interface ScopeMarks {
  readonly negated: Uint8Array;
  readonly past: Uint8Array;
  readonly hypothetical: Uint8Array;
  readonly asked: Uint8Array;
}

const SECOND_PERSON = new Set(["you", "your", "yourself", "anyone", "anybody", "je", "una", "umewahi", "wewe", "wako"]);
const FIRST_PERSON = new Set(["i", "me", "my", "us", "mimi", "i'm", "yangu", "wangu"]);

export class ScopeReader {
  readonly #lexicon: ScopeLexicon;
  readonly #negators: PhraseMatcher<"negator">;
  readonly #breakers: PhraseMatcher<"breaker">;
  readonly #past: PhraseMatcher<"past">;
  readonly #hypothetical: PhraseMatcher<"hypothetical">;
  readonly #questionStarts: PhraseMatcher<"start">;
  readonly #questionWords: PhraseMatcher<"word">;
  readonly #affirmations: PhraseMatcher<"yes">;
  readonly #pronouns: ReadonlySet<string>;
  readonly #reporting: ReadonlySet<string>;
  readonly #fillers: ReadonlySet<string>;
  readonly #negativePrefix: RegExp;

  constructor(lexicon: ScopeLexicon) {
    this.#lexicon = lexicon;
    this.#negators = matcherOf(lexicon.negation.words, "negator");
    this.#breakers = matcherOf(lexicon.negation.breakers, "breaker");
    this.#past = matcherOf(lexicon.past.words, "past");
    this.#hypothetical = matcherOf(lexicon.hypothetical.words, "hypothetical");
    this.#questionStarts = matcherOf(lexicon.questions.first_words, "start");
    this.#questionWords = matcherOf(lexicon.questions.anywhere, "word");
    this.#affirmations = matcherOf(lexicon.affirmations, "yes");
    this.#pronouns = new Set(lexicon.negation.subject_pronouns);
    this.#reporting = new Set(lexicon.negation.reporting_verbs);
    this.#fillers = new Set(lexicon.questions.fillers);
    this.#negativePrefix = new RegExp(`^(?:${allPhrases(lexicon.negation.verb_prefixes).join("|")})..`);
  }

  /** Marks every token of a text. */
  mark(text: TextReading): ScopeMarks {
    const negated = this.#markForward(text, this.#negators, this.#lexicon.negation.window_tokens, 0);
    const hypothetical = this.#markForward(text, this.#hypothetical, this.#lexicon.hypothetical.window_tokens, 2);
    return { negated, hypothetical, past: this.#markPast(text), asked: this.#markAsked(text) };
  }

  /** True when an inflected Swahili verb carries its own denial, as in "hajanipiga" (he has not hit me). */
  isNegatedVerb(word: string): boolean {
    return this.#negativePrefix.test(word);
  }

  /** The yes with which a text begins, after fillers, or null. */
  affirmation(text: TextReading): Evidence | null {
    const first = this.#skipFillers(text, 0, text.tokens.length, new Set(["yes"]));
    const match = this.#affirmations.findAll(text).findLast(({ firstToken }) => firstToken === first);
    if (match === undefined) return null;
    const start = text.tokens[match.firstToken]?.startOffset ?? 0;
    return toEvidence(text.segment, start, text.tokens[match.endToken - 1]?.endOffset ?? start + 1);
  }

  /**
   * Marks up to `window` tokens after each trigger. A new subject at distance `pronounFrom` or more ends the reach; a
   * reporting verb before it ("I don't think he ...") keeps it open.
   */
  #markForward<T>(text: TextReading, triggers: PhraseMatcher<T>, window: number, pronounFrom: number): Uint8Array {
    const marks = new Uint8Array(text.tokens.length);
    const breakers = new Set(this.#breakers.findAll(text).map(({ firstToken }) => firstToken));
    for (const { endToken } of triggers.findAll(text)) {
      const trigger = text.tokens[endToken - 1];
      for (let at = endToken; at < Math.min(text.tokens.length, endToken + window); at += 1) {
        const token = text.tokens[at];
        if (token === undefined || token.clause !== trigger?.clause || breakers.has(at)) break;
        const newSubject = this.#pronouns.has(token.norm) && at - endToken >= pronounFrom;
        if (newSubject && !this.#reporting.has(text.tokens[at - 1]?.norm ?? "")) break;
        marks[at] = 1;
      }
    }
    return marks;
  }

  #markPast(text: TextReading): Uint8Array {
    const marks = new Uint8Array(text.tokens.length);
    const window = this.#lexicon.past.window_tokens;
    for (const { firstToken, endToken } of this.#past.findAll(text)) {
      const sentence = text.sentences[text.tokens[firstToken]?.sentence ?? 0];
      const from = Math.max(sentence?.firstToken ?? 0, firstToken - window);
      marks.fill(1, from, Math.min(sentence?.endToken ?? 0, endToken + window));
    }
    return marks;
  }

  #markAsked(text: TextReading): Uint8Array {
    const marks = new Uint8Array(text.tokens.length);
    if (text.segment.channel === "caller") return marks;
    const starts = new Set(this.#questionStarts.findAll(text).map(({ firstToken }) => firstToken));
    const words = this.#questionWords.findAll(text).map(({ firstToken }) => firstToken);
    for (const sentence of text.sentences) {
      const first = this.#skipFillers(text, sentence.firstToken, sentence.endToken);
      const asks = sentence.terminator === "?" || starts.has(first);
      if (text.segment.channel === "mixed") {
        if (asks && addressesCaller(text, sentence)) marks.fill(1, sentence.firstToken, sentence.endToken);
      } else if (asks) {
        marks.fill(1, sentence.firstToken, sentence.endToken);
      } else if (sentence.terminator === "") {
        const word = words.find((at) => at >= sentence.firstToken && at < sentence.endToken);
        if (word !== undefined) marks.fill(1, word, sentence.endToken);
      }
    }
    return marks;
  }

  #skipFillers(text: TextReading, from: number, to: number, keep: ReadonlySet<string> = new Set()): number {
    let at = from;
    while (at < to - 1) {
      const word = text.tokens[at]?.norm ?? "";
      if (!this.#fillers.has(word) || keep.has(word)) break;
      at += 1;
    }
    return at;
  }
}

function matcherOf<Payload>(phrases: PhrasesByLanguage, payload: Payload): PhraseMatcher<Payload> {
  return new PhraseMatcher(allPhrases(phrases).map((phrase) => ({ phrase, payload })));
}

/** On a shared channel a question is the counsellor's only when it speaks to the caller and not of the speaker. */
function addressesCaller(text: TextReading, sentence: Sentence): boolean {
  const words = text.tokens.slice(sentence.firstToken, sentence.endToken).map(({ norm }) => norm);
  return words.some((word) => SECOND_PERSON.has(word)) && !words.some((word) => FIRST_PERSON.has(word));
}
