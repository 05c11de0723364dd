import { describe, expect, test } from "vitest";
import {
  type CallListState,
  EMPTY_CALL_LIST,
  isUnseen,
  runningMs,
  toActiveList,
  toPastList,
  withActiveCalls,
  withCallEvent,
  withMorePastCalls,
  withPastCalls,
} from "../../../dashboard/src/state/call-list-state.js";
import type { CallRecord, LiveCall } from "../../../dashboard/src/wire/call-shapes.js";
import { CALL, event, finding } from "../../support/dashboard-events.js";

const NOW = Date.parse("2026-01-01T10:00:30Z");
const LEDGER = { speech_ms: 0, silence_ms: 0, paused_ms: 0, failed_ms: 0, gap_ms: 0 };
const live = (call_id: string, more: Partial<LiveCall> = {}): LiveCall => ({
  call_id,
  state: "active",
  started_at: "2026-01-01T10:00:00Z",
  duration_ms: 5_000,
  languages: [],
  lag_ms: null,
  risk_kinds: [],
  text_engine: null,
  warnings: [],
  audio: { channels: [], ledger: LEDGER },
  ...more,
});
const record = (call_id: string, started_at: string): CallRecord => ({
  call_id,
  source: "live",
  direction: "inbound",
  status: "completed",
  started_at,
  ended_at: started_at,
  duration_ms: 1_000,
  languages: [],
});
const active = (state: CallListState, calls: readonly LiveCall[], askedAtMs = NOW): CallListState => withActiveCalls(state, calls, { askedAtMs, nowMs: NOW });

describe("the list of calls", () => {
  test("takes in a call when it starts, and lets it go when its analysis is done", () => {
    const started = withCallEvent(EMPTY_CALL_LIST, event(1, "call.started", { source: "live" }), NOW);
    expect([...started.active.keys()]).toEqual([CALL]);
    const ended = withCallEvent(started, event(2, "call.ended", { reason: "hangup", duration_ms: 7_000 }), NOW);
    expect(ended.active.get(CALL)).toMatchObject({ phase: "ended", durationMs: 7_000 });
    expect(withCallEvent(ended, event(9, "analysis.completed", { is_partial: false }), NOW).active.size).toBe(0);
  });

  test("leaves uploads and events of unknown calls out", () => {
    expect(withCallEvent(EMPTY_CALL_LIST, event(1, "call.started", { source: "upload" }), NOW)).toBe(EMPTY_CALL_LIST);
    expect(withCallEvent(EMPTY_CALL_LIST, event(5, "call.paused", { at_ms: 1 }), NOW)).toBe(EMPTY_CALL_LIST);
  });

  test("does not count a replayed event twice, though interim text leaves gaps in the numbers", () => {
    const started = withCallEvent(EMPTY_CALL_LIST, event(1, "call.started", { source: "live" }), NOW);
    const paused = withCallEvent(started, event(7, "call.paused", { at_ms: 1 }), NOW);
    expect(paused.active.get(CALL)?.phase).toBe("paused");
    expect(withCallEvent(paused, event(1, "call.started", { source: "live" }), NOW)).toBe(paused);
  });

  test("marks a risk unseen, seen, and unseen again when it rises", () => {
    const at = (state: CallListState): boolean | undefined => {
      const risk = state.active.get(CALL)?.risks.get("threats");
      return risk === undefined ? undefined : isUnseen(risk);
    };
    let state = active(EMPTY_CALL_LIST, [live(CALL, { risk_kinds: ["threats"] })]);
    expect(at(state)).toBe(true);
    state = withCallEvent(state, event(3, "risk.raised", { finding: finding("threats", "medium") }), NOW);
    state = withCallEvent(state, event(4, "risk.acknowledged", { kind: "threats", acknowledged_by: "a" }), NOW);
    expect(at(state)).toBe(false);
    expect(at(active(state, [live(CALL, { risk_kinds: ["threats"] })]))).toBe(false);
    expect(at(withCallEvent(state, event(5, "risk.raised", { finding: finding("threats", "high") }), NOW))).toBe(true);
  });

  test("drops what the answer does not name, but not a call met since it was asked for", () => {
    const old = active(EMPTY_CALL_LIST, [live("gone")]);
    const met = withCallEvent(old, event(1, "call.started", { source: "live" }), NOW + 50);
    expect([...active(met, [], NOW + 10).active.keys()]).toEqual([CALL]);
    expect([...active(met, [], NOW + 90).active.keys()]).toEqual([]);
  });

  test("puts calls with unseen high risks first", () => {
    const state = active(EMPTY_CALL_LIST, [live("early", { started_at: "2026-01-01T09:00:00Z" }), live(CALL)]);
    const risky = withCallEvent(state, event(3, "risk.raised", { finding: finding("threats", "high") }), NOW);
    expect(toActiveList(risky).map(({ callId }) => callId)).toEqual([CALL, "early"]);
    expect(toActiveList(state).map(({ callId }) => callId)).toEqual(["early", CALL]);
  });

  test("counts the time on while a call runs, and stops at its end", () => {
    const call = toActiveList(active(EMPTY_CALL_LIST, [live(CALL)]))[0];
    expect(call).toBeDefined();
    if (call === undefined) return;
    expect(runningMs(call, NOW + 2_000)).toBe(7_000);
    expect(runningMs({ ...call, phase: "ended" }, NOW + 2_000)).toBe(5_000);
  });

  test("adds pages of past calls, each call once, newest first, without those in progress", () => {
    const [one, two, three] = [record("one", "2026-01-01T01:00:00Z"), record("two", "2026-01-01T02:00:00Z"), record("three", "2026-01-01T03:00:00Z")];
    let state = withPastCalls(EMPTY_CALL_LIST, { items: [two], next_cursor: "c1" });
    state = withMorePastCalls(state, { items: [two, one], next_cursor: null });
    state = withPastCalls(state, { items: [three, two], next_cursor: "c1" });
    expect(toPastList(state).map((call) => call.call_id)).toEqual(["three", "two", "one"]);
    expect(state.nextCursor).toBeNull();
    expect(toPastList(active(state, [live("three")])).map((call) => call.call_id)).toEqual(["two", "one"]);
  });
});
