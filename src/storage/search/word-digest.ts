/** Words as the index has them: the database compares them, and who reads it without the master key can't. */
import { createHmac } from "node:crypto";
import { SEARCH_PREFIX_LENGTH, type SearchTerm } from "../../core/text/search-terms.js";

export interface WordDigest {
  /** What a text with these words is found by: each of them, and each way one begins. */
  ofText(words: readonly string[]): readonly string[];
  ofTerm(term: SearchTerm): string;
}

/** 48 bits: among all words of a language, one in millions of searches finds a call too many. */
const DIGEST_BYTES = 6;

/** Digests are 12 letters from a to p, which no database's parser takes apart. */
export function createWordDigest(key: Buffer): WordDigest {
  const digest = (kind: "word" | "beginning", text: string): string => {
    const mac = createHmac("sha256", key).update(`${kind}/${text}`).digest().subarray(0, DIGEST_BYTES);
    return mac.toString("hex").replace(/[0-9a-f]/g, (digit) => "abcdefghijklmnop"[Number.parseInt(digit, 16)] ?? "");
  };
  return {
    ofText(words) {
      const beginnings = new Set(words.flatMap(beginningsOf));
      return [...words.map((word) => digest("word", word)), ...[...beginnings].map((beginning) => digest("beginning", beginning))];
    },
    ofTerm: ({ text, isPrefix }) => digest(isPrefix ? "beginning" : "word", text),
  };
}

function beginningsOf(word: string): readonly string[] {
  const letters = [...word];
  const { min, max } = SEARCH_PREFIX_LENGTH;
  return Array.from({ length: Math.max(0, Math.min(max, letters.length) - min + 1) }, (_, index) => letters.slice(0, min + index).join(""));
}
