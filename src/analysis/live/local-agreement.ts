/**
 * LocalAgreement: of text that is heard again and again while somebody speaks, the beginning on which two passes in a
 * row agree is stable. Pure.
 *
 * @see Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis
 * Selection" (n = 2).
 */

/** Words are the same whatever their case and punctuation. */
function normalized(word: string): string {
  return word.toLowerCase().replaceAll(/[^\p{L}\p{N}']/gu, "");
}

/**
 * @returns how many UTF-16 code units at the start of `current` both passes have in common, whole words only.
 */
export function stableLength(previous: string, current: string): number {
  const before = previous.split(/\s+/u).filter((word) => word !== "");
  let length = 0;
  let index = 0;
  for (const match of current.matchAll(/\S+/gu)) {
    const [word] = match;
    const other = before[index++];
    if (other === undefined || normalized(other) !== normalized(word)) return length;
    length = match.index + word.length;
  }
  return length;
}
