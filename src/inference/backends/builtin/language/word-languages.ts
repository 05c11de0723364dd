/**
 * What a single word says of the language it is in: a word of the lexicon belongs to one language, or says nothing; of any other
 * word the letters are asked, by how often runs of two and three of them begin, fill and end the lexicon's words of each language.
 */
import type { LanguageLexicon } from "../asset-schemas.js";

export interface WordVote {
  readonly language: string;
  /** The lexicon has the word; else its letters look so. */
  readonly isKnown: boolean;
}

const SHORTEST_RUN = 2;
const LONGEST_RUN = 3;
/** Shorter words that no lexicon has are letters, noises and spellings. */
const LEAST_LETTERS = 3;
/** Added to each count, so that a run never seen in a language rules nothing out. */
const SMOOTHING = 0.5;

export class WordLanguages {
  readonly languages: readonly string[];
  readonly #known = new Map<string, string>();
  readonly #silent: ReadonlySet<string>;
  readonly #minLead: number;
  /** Per run of letters its index; `#logs` holds a row of languages for each. */
  readonly #runs = new Map<string, number>();
  readonly #logs: Float32Array;
  readonly #unseen: Float32Array;

  /** @param silent - words that are no language's, such as names; lower case */
  constructor({ languages, noises, shared, letters }: LanguageLexicon, silent: Iterable<string>) {
    this.languages = Object.keys(languages);
    this.#silent = new Set([...noises, ...shared, ...silent]);
    this.#minLead = letters.min_lead;
    for (const [language, words] of Object.entries(languages)) for (const word of words) this.#known.set(word, language);
    const counts: number[] = [];
    const totals = new Float32Array(this.languages.length);
    for (const [word, language] of this.#known) {
      const column = this.languages.indexOf(language);
      for (const run of letterRuns(word)) {
        const row = this.#runs.get(run) ?? this.#runs.size;
        this.#runs.set(run, row);
        const at = row * this.languages.length + column;
        counts[at] = (counts[at] ?? 0) + 1;
        totals[column] = (totals[column] ?? 0) + 1;
      }
    }
    const chance = (count: number, column: number): number => Math.log((count + SMOOTHING) / ((totals[column] ?? 0) + SMOOTHING * this.#runs.size));
    this.#logs = Float32Array.from({ length: this.#runs.size * this.languages.length }, (_, at) => chance(counts[at] ?? 0, at % this.languages.length));
    this.#unseen = Float32Array.from(this.languages, (_, column) => chance(0, column));
  }

  /** @param word - lower case, plain apostrophes. @returns null when it says nothing */
  voteOf(word: string): WordVote | null {
    if (this.#silent.has(word)) return null;
    const known = this.#known.get(word);
    if (known !== undefined) return { language: known, isKnown: true };
    if (word.length < LEAST_LETTERS || /\d/.test(word)) return null;
    const language = this.#looksLike(word);
    return language === null ? null : { language, isKnown: false };
  }

  #looksLike(word: string): string | null {
    const sums = new Float32Array(this.languages.length);
    const runs = letterRuns(word);
    for (const run of runs) {
      const row = this.#runs.get(run);
      for (const column of sums.keys()) {
        const log = row === undefined ? this.#unseen[column] : this.#logs[row * this.languages.length + column];
        sums[column] = (sums[column] ?? 0) + (log ?? 0);
      }
    }
    const ranked = [...sums.keys()].sort((one, other) => (sums[other] ?? 0) - (sums[one] ?? 0));
    const [first = 0, second = 0] = ranked;
    // Runs of one word overlap and so repeat each other: their sum grows faster than what they say.
    const lead = ((sums[first] ?? 0) - (sums[second] ?? 0)) / Math.sqrt(runs.length);
    return ranked.length > 1 && lead < this.#minLead ? null : (this.languages[first] ?? null);
  }
}

function letterRuns(word: string): readonly string[] {
  const marked = `^${word}$`;
  const runs: string[] = [];
  for (let length = SHORTEST_RUN; length <= LONGEST_RUN; length++) {
    for (let at = 0; at + length <= marked.length; at++) runs.push(marked.slice(at, at + length));
  }
  return runs;
}
