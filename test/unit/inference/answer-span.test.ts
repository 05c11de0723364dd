/** The likeliest answer of an extractive model. */
import { describe, expect, it } from "vitest";
import { bestAnswerSpan } from "../../../src/inference/backends/question-answering/answer-span.js";

/** A mark, a question token, a mark, then four words of four letters with a blank between. */
const SPANS = [null, null, null, { start: 0, end: 4 }, { start: 5, end: 9 }, { start: 10, end: 14 }, { start: 15, end: 19 }, null];

function logitsOf(high: Readonly<Record<number, number>>): Float32Array {
  return Float32Array.from(SPANS, (_, index) => high[index] ?? -5);
}

const oneSegment = (): number => 0;

describe("bestAnswerSpan", () => {
  it("is the likeliest beginning and end", () => {
    expect(bestAnswerSpan({ start: logitsOf({ 4: 5 }), end: logitsOf({ 5: 5 }), spans: SPANS }, oneSegment)).toMatchObject({ start: 5, end: 14 });
  });

  it("does not end before it begins", () => {
    expect(bestAnswerSpan({ start: logitsOf({ 6: 5, 3: 1 }), end: logitsOf({ 4: 5 }), spans: SPANS }, oneSegment)).toMatchObject({ start: 0, end: 9 });
  });

  it("is none when the model believes rather that nothing answers", () => {
    expect(bestAnswerSpan({ start: logitsOf({ 0: 6, 4: 5 }), end: logitsOf({ 0: 6, 5: 5 }), spans: SPANS }, oneSegment)).toBeUndefined();
  });

  it("never lies in the question or the marks", () => {
    const found = bestAnswerSpan({ start: logitsOf({ 1: 9, 2: 9, 7: 9, 3: 1 }), end: logitsOf({ 1: 9, 7: 9, 3: 1 }), spans: SPANS }, oneSegment);
    expect(found).toMatchObject({ start: 0, end: 4 });
  });

  it("lies within one segment", () => {
    const segmentAt = (offset: number): number => (offset < 10 ? 0 : 1);
    const found = bestAnswerSpan({ start: logitsOf({ 4: 5, 5: 1 }), end: logitsOf({ 5: 5 }), spans: SPANS }, segmentAt);
    expect(found).toMatchObject({ start: 10, end: 14 });
  });
});
