/**
 * Where in a text its tokens stand. Tokenizers change the text they cut (lower case, no accents, marks for blanks), and
 * the library gives no offsets: each token is looked for from the end of the one before, under the same folding. Pure.
 */

export interface TokenSpan {
  /** UTF-16 code units, half-open. */
  readonly start: number;
  readonly end: number;
}

/** What a token says, without the vocabulary's marks; undefined: not in the vocabulary, so that any text may be under it. */
export type TokenSurface = string | undefined;

interface FoldedText {
  readonly characters: readonly string[];
  /** For each folded character, the span of the character it comes from. */
  readonly spans: readonly TokenSpan[];
}

/** Characters a token may be sought ahead; what lies between was dropped by the tokenizer. */
const MAX_SKIP = 64;

/**
 * @param surfaces - in the order of the text.
 * @param options.cutsSigns - the tokenizer makes each punctuation mark and each Chinese character a token of its own.
 * @returns one span per token; null for one of which nothing is found
 */
export function alignTokens(text: string, surfaces: readonly TokenSurface[], { cutsSigns }: { readonly cutsSigns: boolean }): readonly (TokenSpan | null)[] {
  const folded = foldText(text);
  let at = 0;
  return surfaces.map((surface, index) => {
    at = skipBlanks(folded, at);
    if (surface === undefined) {
      const from = at;
      at = cutsSigns && isSign(folded.characters[from] ?? "") ? from + 1 : unknownEnd(folded, from, surfaces[index + 1]);
      return spanOf(folded, from, at);
    }
    const wanted = foldText(surface.trim()).characters;
    // A mark for the blank alone stands at the first letter after it, as in Hugging Face's tokenizers.
    if (wanted.length === 0) return spanOf(folded, at, at + 1);
    const found = find(folded, wanted, at);
    if (found === -1) return null;
    at = found + wanted.length;
    return spanOf(folded, found, at);
  });
}

function foldText(text: string): FoldedText {
  const characters: string[] = [];
  const spans: TokenSpan[] = [];
  let start = 0;
  for (const character of text) {
    const end = start + character.length;
    for (const folded of character.normalize("NFKD").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")) {
      characters.push(folded);
      spans.push({ start, end });
    }
    start = end;
  }
  return { characters, spans };
}

function skipBlanks({ characters }: FoldedText, from: number): number {
  let at = from;
  while (at < characters.length && /\s/u.test(characters[at] ?? "")) at++;
  return at;
}

function find({ characters }: FoldedText, wanted: readonly string[], from: number): number {
  for (let start = from; start <= Math.min(characters.length - wanted.length, from + MAX_SKIP); start++) {
    if (wanted.every((character, index) => characters[start + index] === character)) return start;
  }
  return -1;
}

function isSign(character: string): boolean {
  return /[\p{P}\p{S}\p{Script=Han}]/u.test(character);
}

/** Up to where the next token begins, at most to the end of the word. */
function unknownEnd(folded: FoldedText, from: number, next: TokenSurface): number {
  let end = from;
  while (end < folded.characters.length && !/\s/u.test(folded.characters[end] ?? "")) end++;
  const wanted = next === undefined ? [] : foldText(next.trim()).characters;
  const nextAt = wanted.length === 0 ? -1 : find(folded, wanted, from + 1);
  return nextAt === -1 ? end : Math.min(end, nextAt);
}

function spanOf({ spans }: FoldedText, from: number, to: number): TokenSpan | null {
  const first = spans[from];
  const last = spans[to - 1];
  return first === undefined || last === undefined || to <= from ? null : { start: first.start, end: last.end };
}
