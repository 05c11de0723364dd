/**
 * The little language cue phrases are written in. A phrase is slots separated by blanks:
 * `beat|beats` one of several words, `*nipiga` a word that ends so, `gramm*` a word that begins so, `the?` an optional
 * slot, `...` up to three words in between, `#` a number in digits or words.
 */

import { splitContraction } from "./tokenizer.js";

export type PhraseSlot = { readonly kind: "words"; readonly alternatives: readonly string[] } | { readonly kind: "gap" } | { readonly kind: "number" };

/** Most words a `...` may stand for. */
export const MAX_GAP_TOKENS = 3;

const MIN_AFFIX_LENGTH = 3;

/** Says which rule a phrase breaks, or null when it is well formed. */
export function phraseFault(phrase: string): string | null {
  const slots = phrase.trim().split(/\s+/);
  if (slots[0] === "") return "a phrase must not be empty";
  if (slots[0] === "..." || slots.at(-1) === "...") return "a phrase must not begin or end with a gap";
  if (slots.every((slot) => slot.endsWith("?"))) return "a phrase needs a slot that is not optional";
  for (const slot of slots) {
    if (slot === "..." || slot === "#") continue;
    for (const word of slot.replace(/\?$/, "").split("|")) {
      if (!/^\*?[\p{L}\p{M}\p{N}'’]+\*?$/u.test(word)) return "a word holds letters, digits and apostrophes only";
      if (word.startsWith("*") && word.endsWith("*")) return "a word has one star at most";
      if (word.includes("*") && word.length <= MIN_AFFIX_LENGTH) return "a starred word needs at least three letters";
    }
  }
  return null;
}

/** Parses a phrase into slot sequences, one per choice of its optional slots. */
export function parsePhrase(phrase: string): readonly (readonly PhraseSlot[])[] {
  let variants: PhraseSlot[][] = [[]];
  for (const part of phrase.trim().toLowerCase().replace(/’/g, "'").split(/\s+/)) {
    const optional = part.endsWith("?");
    const readings = parseSlot(optional ? part.slice(0, -1) : part);
    const extended = variants.flatMap((variant) => readings.map((slots) => [...variant, ...slots]));
    variants = optional ? [...extended, ...variants] : extended;
  }
  return variants.filter((variant) => variant.length > 0);
}

/** The slot sequences one written slot stands for: a contraction among its words is two slots, as in the tokens. */
function parseSlot(part: string): readonly (readonly PhraseSlot[])[] {
  if (part === "...") return [[{ kind: "gap" }]];
  if (part === "#") return [[{ kind: "number" }]];
  const words = [...new Set(part.split("|"))].sort();
  const plain = words.filter((word) => splitContraction(word).length === 0);
  const contracted = words.filter((word) => splitContraction(word).length > 0);
  const readings: PhraseSlot[][] = contracted.map((word) => splitContraction(word).map(({ norm }) => ({ kind: "words", alternatives: [norm] })));
  return plain.length === 0 ? readings : [[{ kind: "words", alternatives: plain }], ...readings];
}
