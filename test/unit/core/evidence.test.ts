import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toEvidence } from "../../../src/core/evidence.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";

const SEGMENT: TranscriptSegment = {
  ...{ id: "s1", channel: "caller", startMs: 10_000, endMs: 12_000, text: "my name is Asha", language: "en", score: 0.5 },
};
const word = (text: string, startMs: number, endMs: number) => ({ text, startMs, endMs, score: null });
const WITH_WORDS: TranscriptSegment = {
  ...SEGMENT,
  words: [word("my", 10_100, 10_250), word("name", 10_300, 10_600), word("is", 10_650, 10_700), word("Asha", 11_000, 11_800)],
};

describe("toEvidence", () => {
  it("quotes the span and says where it stands", () => {
    expect(toEvidence(SEGMENT, 11, 15)).toMatchObject({ segmentId: "s1", startOffset: 11, endOffset: 15, text: "Asha", channel: "caller" });
  });

  it("places a span in time by its characters when the segment has no word times", () => {
    // 15 characters in 2000 ms: 3/15 is 400 ms, 7/15 is 933.3 ms.
    expect(toEvidence(SEGMENT, 3, 7)).toMatchObject({ text: "name", startMs: 10_400, endMs: 10_934 });
    expect(toEvidence(SEGMENT, 0, 15)).toMatchObject({ startMs: 10_000, endMs: 12_000 });
  });

  it("takes the times of the words a span covers", () => {
    expect(toEvidence(WITH_WORDS, 3, 7)).toMatchObject({ text: "name", startMs: 10_300, endMs: 10_600 });
    expect(toEvidence(WITH_WORDS, 3, 15)).toMatchObject({ text: "name is Asha", startMs: 10_300, endMs: 11_800 });
    expect(toEvidence(WITH_WORDS, 0, 15)).toMatchObject({ startMs: 10_100, endMs: 11_800 });
  });

  it("takes the whole time of a word that a span covers in part", () => {
    expect(toEvidence(WITH_WORDS, 5, 6)).toMatchObject({ text: "m", startMs: 10_300, endMs: 10_600 });
  });

  it("tells two sayings of one word apart", () => {
    const twice = { ...SEGMENT, text: "no no no", words: [word("no", 10_000, 10_200), word("no", 10_500, 10_700), word("no", 11_000, 11_200)] };
    expect(toEvidence(twice, 3, 5)).toMatchObject({ startMs: 10_500, endMs: 10_700 });
    expect(toEvidence(twice, 6, 8)).toMatchObject({ startMs: 11_000, endMs: 11_200 });
  });

  it("falls back to characters when the words are not those of the text", () => {
    const other = { ...SEGMENT, words: [word("something", 10_000, 10_500), word("else", 10_500, 11_000)] };
    expect(toEvidence(other, 3, 7)).toMatchObject({ startMs: 10_400, endMs: 10_934 });
  });

  it("counts offsets in UTF-16 code units", () => {
    const emoji = { ...SEGMENT, text: "😀 Asha" };
    expect(toEvidence(emoji, 3, 7).text).toBe("Asha");
  });

  it.each([
    [0, 0],
    [5, 4],
    [-1, 3],
    [0, 16],
    [15, 16],
    [Number.NaN, 3],
  ])("refuses the span from %d to %d, which is empty or outside the text", (start, end) => {
    expect(() => toEvidence(SEGMENT, start, end)).toThrow(RangeError);
  });

  it("always gives whole milliseconds within the segment", () => {
    const spans = fc.tuple(fc.nat(14), fc.nat(14)).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
    fc.assert(
      fc.property(spans, fc.nat(100_000), fc.integer({ min: 1, max: 30_000 }), ([start, end], startMs, lengthMs) => {
        const segment = { ...SEGMENT, startMs, endMs: startMs + lengthMs };
        const evidence = toEvidence(segment, start, end);
        expect(Number.isInteger(evidence.startMs) && Number.isInteger(evidence.endMs)).toBe(true);
        expect(evidence.startMs).toBeGreaterThanOrEqual(startMs);
        expect(evidence.endMs).toBeLessThanOrEqual(segment.endMs);
        expect(evidence.startMs).toBeLessThan(evidence.endMs);
        expect(segment.text.slice(evidence.startOffset, evidence.endOffset)).toBe(evidence.text);
      }),
    );
  });
});
