/** Builds events and evidence for the tests; everybody in them is made up. */
import type { Evidence, RiskFinding, Segment } from "../../dashboard/src/wire/call-shapes.js";
import type { LiveEvent, LiveEventOf, LiveEventType } from "../../dashboard/src/wire/live-event.js";

export const CALL = "01JDTESTCALL";

export function event<Type extends LiveEventType>(seq: number, type: Type, payload: LiveEventOf<Type>["payload"], callId = CALL): LiveEvent {
  return { seq, type, call_id: callId, at: `2026-01-01T10:00:${String(seq % 60).padStart(2, "0")}Z`, payload } as LiveEvent;
}

export function segment(id: string, text: string, more: Partial<Segment> = {}): Segment {
  return { id, channel: "caller", start_ms: 1_000, end_ms: 2_000, text, language: "en", score: 0.9, ...more };
}

export function evidence(segmentId: string, text: string, more: Partial<Evidence> = {}): Evidence {
  return { segment_id: segmentId, start_offset: 0, end_offset: text.length, text, channel: "caller", start_ms: 1_000, end_ms: 2_000, ...more };
}

export function finding(kind: string, level: RiskFinding["level"], atMs = 1_000): RiskFinding {
  return { kind, level, score: 0.8, evidence: [evidence("s1", "help")], at_ms: atMs };
}
