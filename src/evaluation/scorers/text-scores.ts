/**
 * Texts against texts: word and character error of recognized speech, BLEU and chrF of translations (the numbers of sacrebleu
 * 2 with its defaults: 13a tokens, exponential smoothing; chrF2, no word n-grams), ROUGE-L of summaries (F1 on lower-case
 * words), exact match and word F1 of answers.
 */
import { alignWords, normalizeWords } from "../../core/text/word-alignment.js";
import { type Measure, quotient, type Sum, tally } from "../counts.js";

/** Adds one recording's errors; case and punctuation do not count. */
export function scoreRecognition(counts: Record<string, number>, said: string, heard: string): void {
  const [words, heardWords] = [normalizeWords(said), normalizeWords(heard)];
  tally(counts, "words", words.length);
  tally(counts, "word errors", alignWords(words, heardWords).errors);
  const [characters, heardCharacters] = [words.join(" "), heardWords.join(" ")].map((text) => [...text]) as [string[], string[]];
  tally(counts, "characters", characters.length);
  tally(counts, "character errors", editDistance(characters, heardCharacters));
}

/** Rates over all recordings: errors by what was said. */
export function recognitionMeasures(sum: Sum): readonly Measure[] {
  return [
    { name: "word error rate", value: quotient(sum("word errors"), sum("words")), cases: sum("words") },
    { name: "character error rate", value: quotient(sum("character errors"), sum("characters")), cases: sum("characters") },
  ];
}

/** In two rows: an hour's characters would not fit as a table. */
function editDistance(said: readonly string[], heard: readonly string[]): number {
  let row = Uint32Array.from({ length: heard.length + 1 }, (_, index) => index);
  for (const [index, character] of said.entries()) {
    const next = new Uint32Array(heard.length + 1);
    next[0] = index + 1;
    for (let column = 1; column <= heard.length; column++) {
      const substitution = (row[column - 1] ?? 0) + (heard[column - 1] === character ? 0 : 1);
      next[column] = Math.min(substitution, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[heard.length] ?? 0;
}

/** F1 of the longest common run of words, gaps allowed. */
export function rougeL(wanted: string, given: string): number {
  const [one, other] = [normalizeWords(wanted), normalizeWords(given)];
  let row = new Uint32Array(other.length + 1);
  for (const word of one) {
    const next = new Uint32Array(other.length + 1);
    for (let column = 1; column <= other.length; column++) {
      next[column] = other[column - 1] === word ? (row[column - 1] ?? 0) + 1 : Math.max(row[column] ?? 0, next[column - 1] ?? 0);
    }
    row = next;
  }
  return one.length + other.length === 0 ? 1 : (2 * (row[other.length] ?? 0)) / (one.length + other.length);
}

export interface AnswerScore {
  readonly isExact: boolean;
  readonly f1: number;
}

/** An answer against the words of the record, as SQuAD does it, but for its English articles. */
export function scoreAnswer(wanted: string, given: string): AnswerScore {
  const [one, other] = [normalizeWords(wanted), normalizeWords(given)];
  const left = new Map<string, number>();
  for (const word of one) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of other) {
    const count = left.get(word) ?? 0;
    if (count > 0) common += 1;
    left.set(word, count - 1);
  }
  return { isExact: one.join(" ") === other.join(" "), f1: one.length + other.length === 0 ? 1 : (2 * common) / (one.length + other.length) };
}
