import { describe, expect, test } from "vitest";
import { type CallState, emptyCall, isRunning, reduceCall, withAnalysis } from "../../../dashboard/src/state/call-state.js";
import type { Analysis, CallAudio, Ledger } from "../../../dashboard/src/wire/call-shapes.js";
import type { LiveEvent } from "../../../dashboard/src/wire/live-event.js";
import { CALL, event, finding, segment } from "../../support/dashboard-events.js";

const LEDGER: Ledger = { speech_ms: 1, silence_ms: 2, paused_ms: 0, failed_ms: 0, gap_ms: 0 };
const AUDIO: CallAudio = { channels: [], ledger: LEDGER };
const interim = (seq: number, text: string, id = "s1"): LiveEvent =>
  event(seq, "segment.interim", { segment_id: id, channel: "caller", start_ms: 0, end_ms: 500, text, stable_length: 2 });
const played = (...events: LiveEvent[]): CallState => events.reduce(reduceCall, emptyCall(CALL));

describe("the state of a call", () => {
  test("does not count an event twice, nor one of another call", () => {
    const once = played(event(1, "call.started", { source: "live" }), event(2, "dtmf.received", { channel: "caller", digit: "1", at_ms: 5 }));
    const again = reduceCall(once, event(2, "dtmf.received", { channel: "caller", digit: "1", at_ms: 5 }));
    expect(again).toBe(once);
    expect(reduceCall(once, event(3, "call.paused", { at_ms: 9 }, "another"))).toBe(once);
    expect(once.notes).toHaveLength(1);
  });

  test("is the same however often a replay overlaps with what was taken", () => {
    const events = [
      event(1, "call.started", { source: "live" }),
      interim(2, "he"),
      event(3, "segment.final", { pass: "live", segment: segment("s1", "hello") }),
      event(4, "risk.raised", { finding: finding("threats", "high"), is_interim: true }),
      event(5, "risk.acknowledged", { kind: "threats", acknowledged_by: "key:a" }),
    ];
    expect(played(...events, ...events, ...events.slice(2))).toEqual(played(...events));
  });

  test("puts the newest interim text in place of the last, and a final in place of both", () => {
    const speaking = played(interim(1, "I am"), interim(2, "I am not"));
    expect(speaking.interims.get("s1")?.text).toBe("I am not");
    const settled = reduceCall(speaking, event(3, "segment.final", { pass: "live", segment: segment("s1", "I am not well.") }));
    expect(settled.interims.size).toBe(0);
    expect(settled.segments.get("s1")?.text).toBe("I am not well.");
    expect(reduceCall(settled, interim(4, "late")).interims.size).toBe(0);
  });

  test("takes interim text away when nothing was said after all", () => {
    expect(played(interim(1, "hm"), interim(2, "")).interims.size).toBe(0);
  });

  test("replaces a final by a later one of the same id", () => {
    const call = played(
      event(1, "segment.final", { pass: "live", segment: segment("s1", "one") }),
      event(2, "segment.final", { pass: "live", segment: segment("s1", "two") }),
    );
    expect([...call.segments.values()].map(({ text }) => text)).toEqual(["two"]);
  });

  test("lets the recording's first line replace everything heard live, and takes no live line after it", () => {
    const call = played(
      event(1, "segment.final", { pass: "live", segment: segment("s1", "live one") }),
      interim(2, "li", "s2"),
      event(3, "segment.final", { pass: "recording", segment: segment("r1", "first") }),
      event(4, "segment.final", { pass: "recording", segment: segment("r2", "second") }),
      event(5, "segment.final", { pass: "live", segment: segment("s3", "late") }),
    );
    expect([...call.segments.keys()]).toEqual(["r1", "r2"]);
    expect(call.interims.size).toBe(0);
  });

  test("takes a line without a pass as the recording's, as uploads tell it", () => {
    expect(played(event(1, "segment.final", { segment: segment("s1", "hello") })).pass).toBe("recording");
  });

  test("follows pauses and the end, and stays ended when it is measured afterwards", () => {
    const measured = { state: "active", duration_ms: 900, lag_ms: 40, audio: AUDIO, warnings: ["w"] } as const;
    const running = played(event(1, "call.started", { source: "live" }), event(2, "call.paused", { at_ms: 5 }));
    expect(running.phase).toBe("paused");
    const resumed = [event(3, "call.resumed", { at_ms: 9 }), event(4, "call.measured", measured)].reduce(reduceCall, running);
    expect(resumed).toMatchObject({ phase: "active", durationMs: 900, lagMs: 40, warnings: ["w"] });
    const ended = [event(5, "call.ended", { reason: "hangup", duration_ms: 1_000 }), event(6, "call.measured", measured)].reduce(reduceCall, resumed);
    expect(ended).toMatchObject({ phase: "ended", endReason: "hangup", audio: AUDIO });
    expect(isRunning(ended.phase)).toBe(false);
  });

  test("keeps one entry per stage, and never lets the progress fall", () => {
    const call = played(
      event(1, "analysis.progressed", { stage: "risk", status: "failed", progress: 60, error_code: "MODEL_OVERLOADED" }),
      event(2, "analysis.progressed", { stage: "risk", status: "completed", progress: 40 }),
      event(3, "analysis.completed", { is_partial: true }),
    );
    expect(call.stages).toEqual([{ stage: "risk", status: "completed" }]);
    expect(call.progress).toBe(100);
    expect(call.outcome).toBe("partial");
  });

  test("says that an analysis failed without calling an ended call failed", () => {
    const failed = event(9, "call.failed", { status: "failed", error_code: "AUDIO_CORRUPT" });
    expect(played(event(1, "call.ended", { reason: "idle", duration_ms: 1 }), failed)).toMatchObject({ phase: "ended", outcome: "failed" });
    expect(played(event(1, "call.started", { source: "upload" }), failed)).toMatchObject({ phase: "failed", outcome: "failed" });
  });

  test("counts an event of a kind it does not know, and changes nothing else", () => {
    const before = played(event(1, "call.started", { source: "live" }));
    const unknown = { seq: 2, type: "call.transferred", call_id: CALL, at: "", payload: {} } as unknown as LiveEvent;
    expect(reduceCall(before, unknown)).toEqual({ ...before, lastSeq: 2 });
  });

  test("is filled from a stored analysis when there were no events", () => {
    const analysis: Analysis = {
      status: "completed",
      audio: { ...AUDIO, duration_ms: 5_000 },
      transcript: { segments: [segment("s1", "hello")] },
      translation: null,
      entities: [],
      classification: null,
      risk: [finding("drugs", "low")],
      summary: null,
      answers: [],
      quality: null,
      warnings: [],
    };
    const call = withAnalysis(emptyCall(CALL), analysis);
    expect(call).toMatchObject({ phase: "ended", pass: "recording", durationMs: 5_000, outcome: "complete", entities: [] });
    expect(call.segments.get("s1")?.text).toBe("hello");
    expect(call.risks.map((risk) => risk.finding.kind)).toEqual(["drugs"]);
    expect(call.classification).toBeUndefined();
  });
});
