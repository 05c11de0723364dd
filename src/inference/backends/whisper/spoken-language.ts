/** Which of the allowed languages an utterance is in: what the model hears, and, for a short one, what was spoken before. Pure. */
import { type LanguageTag, UNDETERMINED_LANGUAGE } from "../../../core/language.js";

/** Speech shorter than this does not tell its language alone. */
const TELLING_MS = 3_000;

export class SpokenLanguage {
  readonly allowed: readonly LanguageTag[];
  /** Milliseconds of speech on this channel so far. */
  readonly #heardMs = new Map<LanguageTag, number>();

  /** @param allowed - one at least */
  constructor(allowed: readonly LanguageTag[]) {
    this.allowed = allowed;
  }

  /** There is nothing to choose. */
  get isSettled(): boolean {
    return this.allowed.length === 1;
  }

  /** The one spoken longest. */
  get mostSpoken(): LanguageTag {
    const [first] = [...this.#heardMs].sort(([, one], [, other]) => other - one);
    return first?.[0] ?? (this.isSettled ? (this.allowed[0] ?? UNDETERMINED_LANGUAGE) : UNDETERMINED_LANGUAGE);
  }

  /** @param likely - of each allowed language; empty when there is nothing to choose */
  choose(likely: ReadonlyMap<LanguageTag, number>, lengthMs: number): LanguageTag {
    const totalMs = [...this.#heardMs.values()].reduce((sum, ms) => sum + ms, 0);
    const ownWeight = totalMs === 0 ? 1 : Math.min(1, lengthMs / TELLING_MS);
    const belief = (tag: LanguageTag): number => ownWeight * (likely.get(tag) ?? 0) + (1 - ownWeight) * ((this.#heardMs.get(tag) ?? 0) / Math.max(1, totalMs));
    const [language = UNDETERMINED_LANGUAGE] = [...this.allowed].sort((one, other) => belief(other) - belief(one));
    this.#heardMs.set(language, (this.#heardMs.get(language) ?? 0) + lengthMs);
    return language;
  }
}
