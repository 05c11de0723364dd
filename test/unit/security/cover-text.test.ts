import { describe, expect, it } from "vitest";
import type { AnalysisResult } from "../../../src/core/analysis-result.js";
import { coverAnalysis, maskingCover, WITHHELD, WITHHOLDING } from "../../../src/security/masking/cover-text.js";
import type { PiiDetector } from "../../../src/security/masking/pii-detector.js";
import { CallMasker } from "../../../src/security/masking/pii-masker.js";
import { fullAnalysis } from "../../support/full-analysis.js";

const IDS = { callId: "01890000-0000-7000-8000-000000000001", taskId: "01890000-0000-7000-8000-000000000002" };

/** Every value under a key called `text`, wherever it stands. */
function textsIn(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "text" ? [inner] : textsIn(inner)));
}

const withholdText = (result: AnalysisResult): AnalysisResult => coverAnalysis(result, WITHHOLDING);

/** Finds every word that `fullAnalysis` makes up. */
const DETECTOR: PiiDetector = {
  revision: "1",
  detect: (texts) =>
    texts.map((text) =>
      [...text.matchAll(/Wumbazo\d+qx/g)].map((match) => ({ kind: "NAME" as const, startOffset: match.index, endOffset: match.index + match[0].length })),
    ),
};

describe("an analysis for who may not read it", () => {
  it("leaves not one word of the call in any part of the analysis", () => {
    const { result, words } = fullAnalysis(IDS);
    expect(words.length).toBeGreaterThan(30);
    const before = JSON.stringify(result);
    expect(words.every((word) => before.includes(word))).toBe(true);
    const withheld = JSON.stringify(withholdText(result));
    expect(words.filter((word) => withheld.includes(word))).toEqual([]);
    expect(withheld).not.toContain("Wumbazo");
  });

  it("says in each text's place that it is withheld", () => {
    const texts = textsIn(withholdText(fullAnalysis(IDS).result));
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => text !== WITHHELD)).toEqual([]);
  });

  it("keeps labels, scores, times, offsets and everything that was measured", () => {
    const { result } = fullAnalysis(IDS);
    const withheld = withholdText(result);
    for (const part of ["callId", "taskId", "status", "audio", "conversation", "models", "stages", "warnings"] as const)
      expect(withheld[part]).toEqual(result[part]);
    expect(withheld.transcript).toMatchObject({ language: "sw", lowQuality: true });
    expect(withheld.transcript?.segments.map(({ id, startMs, endMs, channel }) => ({ id, startMs, endMs, channel }))).toEqual(
      ["s1", "s2"].map((id) => ({ id, startMs: 0, endMs: 1_000, channel: "caller" })),
    );
    expect(withheld.entities?.map(({ label, score }) => [label, score])).toEqual([
      ["NAME", 0.9],
      ["LOCATION", 0.5],
    ]);
    expect(withheld.entities?.[0]?.mentions[0]).toEqual({
      segmentId: "s1",
      startOffset: 0,
      endOffset: 12,
      text: WITHHELD,
      channel: "caller",
      startMs: 100,
      endMs: 900,
    });
    expect(withheld.classification?.priority).toMatchObject({ label: "high", score: 0.8 });
    expect(withheld.risk?.[0]).toMatchObject({ kind: "threats", level: "high", score: 0.9, atMs: 100 });
    expect(withheld.quality?.heads[0]?.items[0]).toMatchObject({ item: "greeting", mark: "met" });
  });

  it("leaves not one word that is personal in any part when texts are masked", () => {
    const { result, words } = fullAnalysis(IDS);
    const masked = JSON.stringify(coverAnalysis(result, maskingCover(new CallMasker(DETECTOR))));
    expect(words.filter((word) => masked.includes(word))).toEqual([]);
    expect([masked.includes("[NAME_1]"), masked.includes("[NAME_2]"), masked.includes(WITHHELD)]).toEqual([true, true, false]);
  });

  it("shows no word when the masker fails", () => {
    const { result, words } = fullAnalysis(IDS);
    const failing: PiiDetector = {
      revision: "1",
      detect: () => {
        throw new Error("no data");
      },
    };
    const withheld = JSON.stringify(coverAnalysis(result, maskingCover(new CallMasker(failing))));
    expect(words.filter((word) => withheld.includes(word))).toEqual([]);
    expect(withheld).toContain(WITHHELD);
  });

  it("leaves missing parts missing and the original as it was", () => {
    const nothing = { transcript: null, translation: null, entities: null, classification: null, risk: null, summary: null, answers: null, quality: null };
    const { result } = fullAnalysis(IDS);
    const empty: AnalysisResult = { ...result, ...nothing };
    expect(withholdText(empty)).toEqual(empty);
    const before = JSON.stringify(result);
    withholdText(result);
    expect(JSON.stringify(result)).toBe(before);
  });
});
