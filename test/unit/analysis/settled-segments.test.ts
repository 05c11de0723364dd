/** Nothing of a settled segment is lost while its words are packed away. */
import { describe, expect, it } from "vitest";
import { SettledSegments } from "../../../src/analysis/live/settled-segments.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";

const segments = Array.from({ length: 30 }, (_, index): TranscriptSegment => {
  const startMs = index * 3_000;
  const words = ["Jina", "langu", "ni", "“Zuhura”\u00e9\u{1F600}"].map((text, at) => ({
    text,
    startMs: startMs + at * 500,
    endMs: startMs + at * 500 + 400,
    score: at === 2 ? null : 1 / (at + 3),
  }));
  const base = {
    id: `l${index}`,
    channel: "caller" as const,
    startMs,
    endMs: startMs + 2_400,
    text: words.map(({ text }) => text).join(" "),
    language: "sw",
    score: 0.7,
  };
  return index % 7 === 3 ? base : { ...base, words };
});

describe("settled segments", () => {
  it("are whole at the end of the call, in the order in which they were settled", () => {
    const settled = new SettledSegments();
    for (const segment of segments) settled.add(segment);
    expect(settled.whole()).toEqual(segments);
  });

  it("keep the words of the newest at hand, and the text of all", () => {
    const settled = new SettledSegments();
    for (const segment of segments) settled.add(segment);
    expect(settled.list.slice(-8)).toEqual(segments.slice(-8));
    expect(settled.list.slice(0, -8).filter((segment) => "words" in segment)).toEqual([]);
    expect(settled.list.map(({ text }) => text)).toEqual(segments.map(({ text }) => text));
  });
});
