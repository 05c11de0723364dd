/** A text in the pieces a translation model can take: sentences, and parts of very long ones. Pure. */

/** Words of a piece; recognized speech may have no full stop for a minute. */
const MAX_WORDS = 40;

/** Joined by blanks they give the words of the text again, in order. */
export function splitSentences(text: string): readonly string[] {
  const sentences = text.split(/(?<=[.!?…]["'”’)\]]*)\s+/u).filter((sentence) => sentence.trim() !== "");
  return sentences.flatMap((sentence) => {
    const words = sentence.trim().split(/\s+/u);
    const parts = Math.ceil(words.length / MAX_WORDS);
    const size = Math.ceil(words.length / parts);
    return Array.from({ length: parts }, (_, part) => words.slice(part * size, (part + 1) * size).join(" "));
  });
}
