/** Word error: what was said against what was heard, word by word. Pure. */

export interface AlignedWord {
  /** Null: heard and never said. */
  readonly said: string | null;
  /** Null: said and not heard. */
  readonly heard: string | null;
}

export interface WordAlignment {
  readonly words: readonly AlignedWord[];
  readonly errors: number;
  readonly saidCount: number;
}

/** Lower case, punctuation gone, apostrophes kept: `"I'm here."` is `["i'm", "here"]`. */
export function normalizeWords(text: string): readonly string[] {
  return text
    .toLowerCase()
    .replaceAll("’", "'")
    .split(/[^\p{L}\p{N}']+/u)
    .map((word) => word.replace(/^'+|'+$/g, ""))
    .filter((word) => word !== "");
}

/**
 * Aligns two word lists by least edit distance: substitutions, insertions and deletions cost one each.
 *
 * @returns `errors / saidCount` is the word error rate.
 */
export function alignWords(said: readonly string[], heard: readonly string[]): WordAlignment {
  const width = heard.length + 1;
  const cost = new Uint32Array((said.length + 1) * width);
  const at = (row: number, column: number): number => cost[row * width + column] ?? 0;
  for (let row = 0; row <= said.length; row++) {
    for (let column = 0; column <= heard.length; column++) {
      if (row === 0 || column === 0) cost[row * width + column] = row + column;
      else {
        const substitution = at(row - 1, column - 1) + (said[row - 1] === heard[column - 1] ? 0 : 1);
        cost[row * width + column] = Math.min(substitution, at(row - 1, column) + 1, at(row, column - 1) + 1);
      }
    }
  }
  const words: AlignedWord[] = [];
  let [row, column] = [said.length, heard.length];
  while (row > 0 || column > 0) {
    const here = at(row, column);
    const isPair = row > 0 && column > 0 && here === at(row - 1, column - 1) + (said[row - 1] === heard[column - 1] ? 0 : 1);
    if (isPair) words.push({ said: said[--row] ?? null, heard: heard[--column] ?? null });
    else if (row > 0 && here === at(row - 1, column) + 1) words.push({ said: said[--row] ?? null, heard: null });
    else words.push({ said: null, heard: heard[--column] ?? null });
  }
  return { words: words.reverse(), errors: at(said.length, heard.length), saidCount: said.length };
}
