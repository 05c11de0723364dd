import { describe, expect, test } from "vitest";
import { emptyCall, reduceCall } from "../../../dashboard/src/state/call-state.js";
import { findEvidence } from "../../../dashboard/src/state/evidence-place.js";
import { toRuns } from "../../../dashboard/src/state/marked-text.js";
import { neighbourLine, toLineIds, toRows } from "../../../dashboard/src/state/transcript-rows.js";
import type { Segment } from "../../../dashboard/src/wire/call-shapes.js";
import { CALL, event, evidence, segment } from "../../support/dashboard-events.js";

const mapOf = (...segments: Segment[]): ReadonlyMap<string, Segment> => new Map(segments.map((each) => [each.id, each]));

describe("the rows of a transcript", () => {
  test("stand in time order whatever the order they came in, and empty lines are left out", () => {
    const call = [
      event(1, "segment.final", { pass: "live", segment: segment("s10", "later", { start_ms: 9_000 }) }),
      event(2, "segment.final", { pass: "live", segment: segment("s2", "first", { start_ms: 100 }) }),
      event(3, "segment.final", { pass: "live", segment: segment("s3", " ", { start_ms: 200 }) }),
      event(4, "segment.interim", { segment_id: "s4", channel: "agent", start_ms: 300, end_ms: 400, text: "mid", stable_length: 0 }),
      event(5, "call.paused", { at_ms: 5_000 }),
    ].reduce(reduceCall, emptyCall(CALL));
    const rows = toRows(call);
    expect(rows.map(({ key }) => key)).toEqual(["s2", "s4", "note-0", "s10"]);
    expect(toLineIds(rows)).toEqual(["s2", "s10"]);
  });

  test("are walked line by line and not beyond their ends", () => {
    const ids = ["s1", "s2", "s3"];
    expect(neighbourLine(ids, undefined, 1)).toBe("s3");
    expect(neighbourLine(ids, "s2", -1)).toBe("s1");
    expect(neighbourLine(ids, "s1", -1)).toBe("s1");
    expect(neighbourLine(ids, "s3", 1)).toBe("s3");
    expect(neighbourLine([], "s3", 1)).toBeUndefined();
  });
});

describe("the place of evidence", () => {
  const words = evidence("s1", "beat me", { start_offset: 3, end_offset: 10 });

  test("is where its offsets say while the words are there", () => {
    expect(findEvidence(mapOf(segment("s1", "he beat me")), words)).toEqual({ segmentId: "s1", startOffset: 3, endOffset: 10 });
  });

  test("is found by its words when the recording was heard with other ids or other offsets", () => {
    const heardAnew = mapOf(segment("s1", "hello", { start_ms: 0, end_ms: 500 }), segment("r7", "yes, he beat me", { start_ms: 1_020 }));
    expect(findEvidence(heardAnew, words)).toEqual({ segmentId: "r7", startOffset: 8, endOffset: 15 });
  });

  test("is the line alone when the words are heard otherwise, or withheld", () => {
    expect(findEvidence(mapOf(segment("s1", "[withheld]")), words)).toEqual({ segmentId: "s1" });
  });

  test("is nowhere when nobody spoke then on that channel", () => {
    expect(findEvidence(mapOf(segment("s1", "hello", { channel: "agent" })), words)).toBeUndefined();
  });
});

describe("marked text", () => {
  test("is cut at every edge of a mark and joins to the whole", () => {
    const text = "he will burn my hands";
    const runs = toRuns(text, [
      { kind: "risk", startOffset: 3, endOffset: 21 },
      { kind: "focus", startOffset: 8, endOffset: 15 },
    ]);
    expect(runs.map((run) => run.text).join("")).toBe(text);
    expect(runs.map(({ kinds }) => kinds)).toEqual([[], ["risk"], ["focus", "risk"], ["risk"]]);
  });

  test("counts UTF-16 units, and takes no harm from marks beyond the text", () => {
    expect(toRuns("a😀b", [{ kind: "focus", startOffset: 1, endOffset: 3 }]).map((run) => run.text)).toEqual(["a", "😀", "b"]);
    expect(toRuns("ab", [{ kind: "focus", startOffset: -4, endOffset: 90 }])).toEqual([{ text: "ab", startOffset: 0, kinds: ["focus"] }]);
    expect(toRuns("", [])).toEqual([]);
  });
});
