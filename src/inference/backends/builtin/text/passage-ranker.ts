/** Ranks passages against a question by BM25 over lightly stemmed words. */
import { normalizeWord, tokenize } from "./tokenizer.js";

/** Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009): usual k1 and b. */
const K1 = 1.2;
const B = 0.75;

/** Content words of a text, stemmed. */
export function contentTerms(text: string, stopWords: ReadonlySet<string>): readonly string[] {
  return tokenize(text)
    .tokens.map(({ norm }) => norm)
    .filter((word) => !stopWords.has(word))
    .map(stem);
}

/** One BM25 score per passage; 0 where no term of the question occurs. */
export function rankPassages(terms: readonly string[], passages: readonly (readonly string[])[]): readonly number[] {
  const wanted = new Set(terms);
  const averageLength = passages.reduce((sum, passage) => sum + passage.length, 0) / Math.max(1, passages.length);
  const counts = passages.map((passage) => {
    const count = new Map<string, number>();
    for (const term of passage) if (wanted.has(term)) count.set(term, (count.get(term) ?? 0) + 1);
    return count;
  });
  const rarity = new Map<string, number>();
  for (const term of wanted) {
    const holding = counts.filter((count) => count.has(term)).length;
    rarity.set(term, Math.log(1 + (passages.length - holding + 0.5) / (holding + 0.5)));
  }
  return passages.map((passage, index) => {
    let score = 0;
    for (const [term, count] of counts[index] ?? []) {
      const lengthFactor = K1 * (1 - B + (B * passage.length) / Math.max(1, averageLength));
      score += ((rarity.get(term) ?? 0) * count * (K1 + 1)) / (count + lengthFactor);
    }
    return score;
  });
}

function stem(word: string): string {
  const base = normalizeWord(word).replace(/'s$/, "");
  return base.length > 4 ? base.replace(/(?:ing|ed|es|s)$/, "") : base;
}
