import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scoreTranslation, translationMeasures } from "../../../src/evaluation/scorers/translation-scores.js";

interface ScoredSet {
  readonly name: string;
  readonly pairs: readonly { readonly given: string; readonly references: readonly string[] }[];
  readonly bleu: number;
  readonly chrf: number;
}

const { sets } = JSON.parse(readFileSync(new URL("../../fixtures/translation-scores.json", import.meta.url), "utf8")) as {
  readonly sets: readonly ScoredSet[];
};

describe("translation scores are sacrebleu's", () => {
  it.each(sets)("$name", ({ pairs, bleu, chrf }) => {
    const counts: Record<string, number> = {};
    for (const { given, references } of pairs) scoreTranslation(counts, references, given);
    const measures = new Map(translationMeasures((key) => counts[key] ?? 0).map(({ name, value }) => [name, value]));
    expect(measures.get("BLEU")).toBeCloseTo(bleu, 9);
    expect(measures.get("chrF")).toBeCloseTo(chrf, 9);
  });
});
