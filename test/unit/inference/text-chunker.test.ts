import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkSegments, splitToFit, toSegmentSpans } from "../../../src/inference/text-chunker.js";
import { callOf } from "./builtin-call.js";

describe("chunkSegments", () => {
  it("cuts between words and overlaps from the start of a word", () => {
    const chunks = chunkSegments(callOf(["caller", "one two three four"]), { maxCharacters: 10, overlapCharacters: 5 });
    expect(chunks.map(({ text }) => text)).toEqual(["one two ", "two three ", "four"]);
  });

  it("joins segments by a line break that belongs to no segment", () => {
    const [chunk] = chunkSegments(callOf(["caller", "ab"], ["agent", "cd"]), {
      maxCharacters: 50,
      overlapCharacters: 0,
    });
    expect(chunk?.text).toBe("ab\ncd");
    expect(chunk?.spans).toEqual([
      { segmentId: "s0", chunkStart: 0, segmentStart: 0, length: 2 },
      { segmentId: "s1", chunkStart: 3, segmentStart: 0, length: 2 },
    ]);
  });

  it("gives no chunk for a call without text", () => {
    expect(chunkSegments(callOf(["caller", ""]), { maxCharacters: 5, overlapCharacters: 0 })).toEqual([]);
  });

  it("refuses an overlap as long as a chunk", () => {
    expect(() => chunkSegments([], { maxCharacters: 5, overlapCharacters: 5 })).toThrow(RangeError);
  });

  it("covers every character of every segment and maps each span back to the same words", () => {
    const options = fc.record({
      maxCharacters: fc.integer({ min: 2, max: 40 }),
      overlapCharacters: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 6 }), options, (texts, chosen) => {
        const segments = callOf(...texts.map((text) => ["mixed", text] as const));
        const covered = segments.map(({ text }) => new Uint8Array(text.length));
        for (const chunk of chunkSegments(segments, chosen)) {
          expect(chunk.text.length).toBeLessThanOrEqual(chosen.maxCharacters);
          for (const { segmentId, chunkStart, segmentStart, length } of chunk.spans) {
            const index = Number(segmentId.slice(1));
            const words = segments[index]?.text.slice(segmentStart, segmentStart + length);
            expect(words).toBe(chunk.text.slice(chunkStart, chunkStart + length));
            covered[index]?.fill(1, segmentStart, segmentStart + length);
          }
        }
        expect(covered.every((bytes) => bytes.every((byte) => byte === 1))).toBe(true);
      }),
    );
  });
});

describe("toSegmentSpans", () => {
  it("splits a span that crosses two segments", () => {
    const [chunk] = chunkSegments(callOf(["caller", "my name"], ["agent", "is it"]), {
      maxCharacters: 50,
      overlapCharacters: 0,
    });
    if (chunk === undefined) throw new Error("a chunk was expected");
    expect(toSegmentSpans(chunk, 3, 10)).toEqual([
      { segmentId: "s0", startOffset: 3, endOffset: 7 },
      { segmentId: "s1", startOffset: 0, endOffset: 2 },
    ]);
  });

  it("gives nothing for the join between two segments", () => {
    const [chunk] = chunkSegments(callOf(["caller", "a"], ["agent", "b"]), { maxCharacters: 50, overlapCharacters: 0 });
    if (chunk === undefined) throw new Error("a chunk was expected");
    expect(toSegmentSpans(chunk, 1, 2)).toEqual([]);
  });
});

describe("splitToFit", () => {
  const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

  it("keeps every word, in order, in parts that fit", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 60 }), fc.integer({ min: 8, max: 60 }), (all, most) => {
        const parts = splitToFit(all.join(" "), (part) => part.length <= most);
        expect(parts.flatMap(words)).toEqual(all);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it("cuts a word that is longer than fits, and stops at a character that never does", () => {
    expect(splitToFit("abcdefgh", (part) => part.length <= 3).join("")).toBe("abcdefgh");
    expect(splitToFit("abc", () => false)).toEqual(["a", "b", "c"]);
    expect(splitToFit("", () => false)).toEqual([""]);
  });
});
