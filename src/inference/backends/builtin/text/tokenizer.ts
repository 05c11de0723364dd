/**
 * Cuts text into words with exact offsets. A token is a run of letters, marks and digits, with inner apostrophes
 * ("ng'ombe"); a hyphen separates, and so do English contractions, whose parts are matched in full ("i'm": "i", "am"). A sentence ends at `.`, `!`, `?`, `;` or a line break; a clause also at a
 * comma or colon. Text without punctuation, as recognizers often write it, is one sentence.
 */

export interface Token {
  /** Lower-cased form with plain apostrophes, used for matching only. */
  readonly norm: string;
  /** UTF-16 code units of the text, half-open. */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly sentence: number;
  readonly clause: number;
  /** True when the first letter is upper case and a later one, if any, is lower case. */
  readonly capitalised: boolean;
}

/** Tokens `[firstToken, endToken)`. */
export interface TokenRange {
  readonly firstToken: number;
  readonly endToken: number;
}

/** The range of one token. */
export function oneToken(at: number): TokenRange {
  return { firstToken: at, endToken: at + 1 };
}

export interface Sentence extends TokenRange {
  /** The mark that closes it, or the empty string. */
  readonly terminator: string;
}

export interface TokenizedText {
  readonly tokens: readonly Token[];
  readonly sentences: readonly Sentence[];
}

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’ʼ][\p{L}\p{M}\p{N}]+)*/gu;
const SENTENCE_END = /[!?;\n.]/;
const CLAUSE_END = /[,:—–()"“”]/;
const PRONOUN_VERB = /^(i|you|he|she|it|we|they|that|what|who|where|how|there|here)('(?:m|re|ll|s|ve|d))$/;
const VERB_NOT = /^(do|does|did|is|are|was|were|has|have|had|would|could|should|can|ca|wo)(n't|not)$/;
const SHORT_WORDS: Readonly<Record<string, string>> = {
  "'m": "am",
  "'re": "are",
  "'ll": "will",
  "'s": "is",
  "'ve": "have",
  "'d": "would",
  "n't": "not",
  ca: "can",
  wo: "will",
};
const CAPITALISED = /^\p{Lu}(?:['’ʼ]?[\p{Ll}\p{M}].*)?$/u;

/** Lower-cases a word and makes its apostrophes plain. */
export function normalizeWord(word: string): string {
  return word.toLowerCase().replace(/[’ʼ]/g, "'");
}

/** Tokenizes `text`; `text.slice(token.startOffset, token.endOffset)` is the word as written. */
export function tokenize(text: string): TokenizedText {
  const tokens: Token[] = [];
  const sentences: Sentence[] = [];
  let clause = 0;
  let firstToken = 0;
  let previousEnd = 0;
  for (const match of text.matchAll(WORD)) {
    const word = match[0];
    const between = text.slice(previousEnd, match.index);
    const inNumber = between === "." && /\d/.test(text.charAt(previousEnd - 1)) && /\d/.test(word.charAt(0));
    if (tokens.length > 0 && !inNumber && SENTENCE_END.test(between)) {
      sentences.push({ firstToken, endToken: tokens.length, terminator: terminatorOf(between) });
      firstToken = tokens.length;
      clause += 1;
    } else if (CLAUSE_END.test(between)) {
      clause += 1;
    }
    previousEnd = match.index + word.length;
    const place = { sentence: sentences.length, clause };
    const norm = normalizeWord(word);
    const [first, second] = splitContraction(norm);
    if (first === undefined || second === undefined) {
      const capitalised = CAPITALISED.test(word);
      tokens.push({ norm, startOffset: match.index, endOffset: previousEnd, ...place, capitalised });
    } else {
      const cut = match.index + first.length;
      tokens.push({ norm: first.norm, startOffset: match.index, endOffset: cut, ...place, capitalised: false });
      tokens.push({ norm: second.norm, startOffset: cut, endOffset: previousEnd, ...place, capitalised: false });
    }
  }
  if (tokens.length > firstToken) {
    sentences.push({ firstToken, endToken: tokens.length, terminator: terminatorOf(text.slice(previousEnd)) });
  }
  return { tokens, sentences };
}

interface ContractionPart {
  readonly norm: string;
  readonly length: number;
}

/**
 * The two words of an English contraction in full ("i'm": "i" and "am"; "can't" and "cannot": "can" and "not"), or
 * nothing. The lengths are those of the parts as written, so the tokens of "don't" cover "do" and "n't".
 */
export function splitContraction(norm: string): readonly ContractionPart[] {
  const match = PRONOUN_VERB.exec(norm) ?? VERB_NOT.exec(norm);
  const [, first, second] = match ?? [];
  if (first === undefined || second === undefined) return [];
  return [first, second].map((part) => ({ norm: SHORT_WORDS[part] ?? part, length: part.length }));
}

function terminatorOf(between: string): string {
  if (between.includes("?")) return "?";
  return SENTENCE_END.exec(between)?.[0].charAt(0) ?? "";
}
