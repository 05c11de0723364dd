/** What was said on a call, wherever it stands in an answer; the test's own idea of it, apart from what the service masks. */
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";

/** What masking changes: texts, their words with times, and places in texts. */
const OF_TEXTS = new Set(["text", "words", "start_offset", "end_offset"]);

/** The same value without anything that masking changes. */
export function withoutText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutText);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !OF_TEXTS.has(name))
      .map(([name, inner]) => [name, withoutText(inner)]),
  );
}

/** Every text that stands under `text` in it, once. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const found = Object.entries(value).flatMap(([name, inner]) => (name === "text" && typeof inner === "string" ? [inner] : textsIn(inner)));
  return [...new Set(found)];
}

/** Phrases of three words that were said, long enough to stand in no label, name or number by chance. */
export function spokenPhrases(analysis: Pick<WireAnalysis, "transcript"> | undefined): readonly string[] {
  const texts = analysis?.transcript?.segments.map(({ text }) => text) ?? [];
  return texts.flatMap((text) => {
    const words = text.split(/\s+/).filter((word) => word !== "");
    return words.length < 3 ? [text] : words.slice(2).map((_, index) => words.slice(index, index + 3).join(" "));
  });
}
