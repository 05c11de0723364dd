/** Labels written into a text: `[Amina|VICTIM:name] is [nine|AGE]`; marks are never nested. Pure. */

/** Offsets are UTF-16 code units of the text without marks, half-open. */
export interface Mark {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly label: string;
  /** `name`: a person's own name; `local`: a place below the district. */
  readonly flags: readonly string[];
}

export interface MarkedText {
  readonly text: string;
  readonly marks: readonly Mark[];
}

const MARK = /\[([^[\]|]+)\|([A-Z_]+)((?::[a-z]+)*)\]/g;

export function parseMarkedText(marked: string): MarkedText {
  const marks: Mark[] = [];
  let text = "";
  let readTo = 0;
  for (const match of marked.matchAll(MARK)) {
    const [whole, words = "", label = "", flags = ""] = match;
    text += marked.slice(readTo, match.index);
    marks.push({ startOffset: text.length, endOffset: text.length + words.length, label, flags: flags.split(":").slice(1) });
    text += words;
    readTo = match.index + whole.length;
  }
  return { text: text + marked.slice(readTo), marks };
}
