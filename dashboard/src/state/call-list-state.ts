/** The calls in progress and the past ones, kept by answers of the gateway and by the events of all calls. */
import type { CallPhase, CallRecord, Level, LiveCall, Page } from "../wire/call-shapes.js";
import type { LiveEvent } from "../wire/live-event.js";
import { levelRank } from "./risk-state.js";

export interface ListedRisk {
  /** Unknown until an event tells. */
  readonly level?: Level;
  readonly seenAtLevel?: Level;
}

export interface ListedCall {
  readonly callId: string;
  readonly lastSeq: number;
  readonly phase: CallPhase;
  readonly startedAt: string;
  readonly agentId?: string;
  readonly languages: readonly string[];
  /** How long it had lasted at `measuredAtMs` of this computer's clock. */
  readonly durationMs: number;
  readonly measuredAtMs: number;
  readonly lagMs: number | undefined;
  readonly risks: ReadonlyMap<string, ListedRisk>;
  /** When this page first heard of it. */
  readonly metAtMs: number;
}

export interface CallListState {
  readonly active: ReadonlyMap<string, ListedCall>;
  readonly past: readonly CallRecord[];
  readonly nextCursor: string | null;
}

export const EMPTY_CALL_LIST: CallListState = { active: new Map(), past: [], nextCursor: null };

/** @param askedAtMs - when the answer was asked for: a call met since then stays, as the answer could not know it. */
export function withActiveCalls(state: CallListState, calls: readonly LiveCall[], times: { askedAtMs: number; nowMs: number }): CallListState {
  const active = new Map<string, ListedCall>();
  for (const call of calls) {
    const known = state.active.get(call.call_id);
    active.set(call.call_id, {
      callId: call.call_id,
      lastSeq: known?.lastSeq ?? 0,
      phase: call.state,
      startedAt: call.started_at,
      ...(call.agent_id === undefined ? {} : { agentId: call.agent_id }),
      languages: call.languages,
      durationMs: call.duration_ms,
      measuredAtMs: times.nowMs,
      lagMs: call.lag_ms ?? undefined,
      risks: new Map(call.risk_kinds.map((kind) => [kind, known?.risks.get(kind) ?? {}])),
      metAtMs: known?.metAtMs ?? times.nowMs,
    });
  }
  for (const [callId, known] of state.active) {
    if (!active.has(callId) && known.metAtMs > times.askedAtMs) active.set(callId, known);
  }
  return { ...state, active };
}

/** Events of calls that are not listed change nothing, except the start of a live one. */
export function withCallEvent(state: CallListState, event: LiveEvent, nowMs: number): CallListState {
  const known = state.active.get(event.call_id);
  if (known === undefined && !(event.type === "call.started" && event.payload.source === "live")) return state;
  if (known !== undefined && event.seq <= known.lastSeq) return state;
  const active = new Map(state.active);
  if (event.type === "analysis.completed" || event.type === "call.failed") active.delete(event.call_id);
  else active.set(event.call_id, { ...changedCall(known ?? startedCall(event, nowMs), event, nowMs), lastSeq: event.seq });
  return { ...state, active };
}

function startedCall(event: LiveEvent, nowMs: number): ListedCall {
  const durationMs = Math.max(0, nowMs - Date.parse(event.at));
  return {
    callId: event.call_id,
    lastSeq: 0,
    phase: "active",
    startedAt: event.at,
    languages: [],
    durationMs,
    measuredAtMs: nowMs,
    lagMs: undefined,
    risks: new Map(),
    metAtMs: nowMs,
  };
}

function changedCall(call: ListedCall, event: LiveEvent, nowMs: number): ListedCall {
  switch (event.type) {
    case "call.paused":
      return { ...call, phase: "paused" };
    case "call.resumed":
      return { ...call, phase: "active" };
    case "call.measured": {
      const { state: phase, duration_ms: durationMs, lag_ms: lagMs } = event.payload;
      return { ...call, phase: call.phase === "ended" ? "ended" : phase, durationMs, measuredAtMs: nowMs, lagMs: lagMs ?? undefined };
    }
    case "call.ended":
      return { ...call, phase: "ended", durationMs: event.payload.duration_ms, measuredAtMs: nowMs, lagMs: undefined };
    case "risk.raised": {
      const { kind, level } = event.payload.finding;
      return { ...call, risks: new Map(call.risks).set(kind, { ...call.risks.get(kind), level }) };
    }
    case "risk.acknowledged": {
      const risk = call.risks.get(event.payload.kind);
      if (risk === undefined) return call;
      return { ...call, risks: new Map(call.risks).set(event.payload.kind, { ...risk, seenAtLevel: risk.level ?? "critical" }) };
    }
    default:
      return call;
  }
}

/** The first page of past calls; pages loaded after it stay. */
export function withPastCalls(state: CallListState, page: Page<CallRecord>): CallListState {
  const fresh = new Set(page.items.map(({ call_id: callId }) => callId));
  const isFirst = state.past.length === 0;
  return {
    ...state,
    past: [...page.items, ...state.past.filter(({ call_id: callId }) => !fresh.has(callId))],
    nextCursor: isFirst ? page.next_cursor : state.nextCursor,
  };
}

export function withMorePastCalls(state: CallListState, page: Page<CallRecord>): CallListState {
  const known = new Set(state.past.map(({ call_id: callId }) => callId));
  return { ...state, past: [...state.past, ...page.items.filter(({ call_id: callId }) => !known.has(callId))], nextCursor: page.next_cursor };
}

/** Longest first within those that still have an unseen risk, then the rest. */
export function toActiveList({ active }: CallListState): readonly ListedCall[] {
  return [...active.values()].sort((one, other) => urgency(other) - urgency(one) || one.startedAt.localeCompare(other.startedAt));
}

/** Past calls without those that are listed as in progress, newest first. */
export function toPastList({ active, past }: CallListState): readonly CallRecord[] {
  return past.filter(({ call_id: callId }) => !active.has(callId)).sort((one, other) => other.started_at.localeCompare(one.started_at));
}

export function isUnseen({ level, seenAtLevel }: ListedRisk): boolean {
  return seenAtLevel === undefined || (level !== undefined && levelRank(level) > levelRank(seenAtLevel));
}

/** How long the call has lasted by now. */
export function runningMs({ phase, durationMs, measuredAtMs }: ListedCall, nowMs: number): number {
  return phase === "ended" || phase === "failed" ? durationMs : durationMs + Math.max(0, nowMs - measuredAtMs);
}

function urgency({ risks }: ListedCall): number {
  const unseen = [...risks.values()].filter(isUnseen).map(({ level }) => (level === undefined ? 0 : levelRank(level)));
  return Math.max(-1, ...unseen);
}
