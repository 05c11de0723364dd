/**
 * Text that a recognizer may have made up: a phrase said over and over, or one of the sentences that models write when
 * they hear noise. It is marked and never deleted: a person decides. Pure.
 */

import { normalizeWords } from "../../core/text/word-alignment.js";
import { type SuspectKind, TEXT_LOOP, TEXT_PHANTOM } from "../../core/transcript.js";

/** A run of up to this many words is looked for. */
const MAX_LOOP_WORDS = 8;
const MIN_REPEATS = 4;
/** A loop fills most of its segment; somebody who says no four times in a long answer is no loop. */
const MIN_SHARE = 0.6;

/** @param phantomPhrases - normalized as `normalizePhrase` does. */
export function suspectKind(text: string, phantomPhrases: ReadonlySet<string>): SuspectKind | undefined {
  const said = normalizeWords(text);
  if (phantomPhrases.has(said.join(" "))) return TEXT_PHANTOM;
  return isLoop(said) ? TEXT_LOOP : undefined;
}

/** Lower case, no punctuation, single blanks. */
export function normalizePhrase(phrase: string): string {
  return normalizeWords(phrase).join(" ");
}

function isLoop(said: readonly string[]): boolean {
  for (let size = 1; size <= MAX_LOOP_WORDS; size++) {
    for (let start = 0; start + size * MIN_REPEATS <= said.length; start++) {
      const repeats = countRepeats(said, start, size);
      // Crying, counting and calling out repeat single words too: those must fill the segment for longer.
      if (repeats >= (size === 1 ? 2 * MIN_REPEATS : MIN_REPEATS) && repeats * size >= said.length * MIN_SHARE) return true;
    }
  }
  return false;
}

function countRepeats(said: readonly string[], start: number, size: number): number {
  let repeats = 1;
  for (let next = start + size; next + size <= said.length; next += size) {
    for (let offset = 0; offset < size; offset++) if (said[next + offset] !== said[start + offset]) return repeats;
    repeats++;
  }
  return repeats;
}
