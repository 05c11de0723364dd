/** Numbers in running words, English and Swahili: "12", "thirty five", "kumi na mbili". */
import type { NumberLexicon } from "../asset-schemas.js";
import type { Token } from "./tokenizer.js";

/** Tokens `[firstToken, endToken)` say `value`. */
export interface NumberSpan {
  readonly firstToken: number;
  readonly endToken: number;
  readonly value: number;
}

/** Longest digit run read as one number; longer ones are telephone or identity numbers. */
const MAX_DIGITS = 4;

/** Finds non-overlapping numbers from left to right. */
export function findNumbers(tokens: readonly Token[], lexicon: NumberLexicon): readonly NumberSpan[] {
  const spans: NumberSpan[] = [];
  let at = 0;
  while (at < tokens.length) {
    const span = numberAt(tokens, at, lexicon);
    if (span !== null) spans.push(span);
    at = span?.endToken ?? at + 1;
  }
  return spans;
}

function numberAt(tokens: readonly Token[], at: number, lexicon: NumberLexicon): NumberSpan | null {
  const word = tokens[at]?.norm ?? "";
  if (/^\d+$/.test(word)) {
    return word.length > MAX_DIGITS ? null : { firstToken: at, endToken: at + 1, value: Number(word) };
  }
  const simple = lexicon.units[word] ?? lexicon.teens[word];
  if (simple !== undefined) return { firstToken: at, endToken: at + 1, value: simple };
  const tens = lexicon.tens[word];
  if (tens === undefined) return null;
  const joined = lexicon.joiners.includes(tokens[at + 1]?.norm ?? "");
  const unitAt = at + (joined ? 2 : 1);
  const unit = lexicon.units[tokens[unitAt]?.norm ?? ""];
  const sameSentence = tokens[unitAt]?.sentence === tokens[at]?.sentence;
  if (unit === undefined || unit === 0 || !sameSentence) return { firstToken: at, endToken: at + 1, value: tens };
  return { firstToken: at, endToken: unitAt + 1, value: tens + unit };
}
