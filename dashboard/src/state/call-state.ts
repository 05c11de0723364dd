/** What is known of one call, built from its events alone: the same events give the same state, and an event counts once. */
import type {
  Analysis,
  CallAudio,
  CallPhase,
  CaseAnswer,
  Channel,
  Classification,
  Entity,
  Quality,
  Segment,
  Summary,
  Translation,
} from "../wire/call-shapes.js";
import type { LiveEvent, LiveEventOf } from "../wire/live-event.js";
import { type RiskState, withAcknowledged, withRaised } from "./risk-state.js";

/** Text of speech in progress; the first `stableLength` characters are not expected to change. */
export interface InterimText {
  readonly id: string;
  readonly channel: Channel;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly stableLength: number;
}

/** Something that happened between the words. */
export interface CallNote {
  readonly kind: "paused" | "resumed" | "digit";
  readonly atMs: number;
  readonly channel?: Channel;
  readonly digit?: string;
}

export interface StageState {
  readonly stage: string;
  readonly status: "completed" | "failed" | "skipped";
  readonly errorCode?: string;
}

export interface CallState {
  readonly callId: string;
  readonly lastSeq: number;
  readonly source: "live" | "upload" | undefined;
  /** Undefined until an event tells. */
  readonly phase: CallPhase | undefined;
  readonly startedAt: string | undefined;
  /** Which hearing the segments are of; the recording's replaces the live one. */
  readonly pass: "live" | "recording";
  readonly segments: ReadonlyMap<string, Segment>;
  readonly interims: ReadonlyMap<string, InterimText>;
  readonly notes: readonly CallNote[];
  readonly risks: readonly RiskState[];
  readonly entities: readonly Entity[] | undefined;
  readonly classification: Classification | undefined;
  readonly summary: Summary | undefined;
  readonly answers: readonly CaseAnswer[] | undefined;
  readonly quality: Quality | undefined;
  readonly translation: Translation | undefined;
  readonly audio: CallAudio | undefined;
  readonly durationMs: number | undefined;
  readonly lagMs: number | undefined;
  readonly warnings: readonly string[];
  readonly endReason: LiveEventOf<"call.ended">["payload"]["reason"] | undefined;
  readonly stages: readonly StageState[];
  /** Of the analysis after the call, 0..100. */
  readonly progress: number;
  readonly outcome: "complete" | "partial" | "failed" | "cancelled" | undefined;
}

export function emptyCall(callId: string): CallState {
  return {
    callId,
    lastSeq: 0,
    source: undefined,
    phase: undefined,
    startedAt: undefined,
    pass: "live",
    segments: new Map(),
    interims: new Map(),
    notes: [],
    risks: [],
    entities: undefined,
    classification: undefined,
    summary: undefined,
    answers: undefined,
    quality: undefined,
    translation: undefined,
    audio: undefined,
    durationMs: undefined,
    lagMs: undefined,
    warnings: [],
    endReason: undefined,
    stages: [],
    progress: 0,
    outcome: undefined,
  };
}

/** Applies an event; one that was applied before changes nothing. */
export function reduceCall(state: CallState, event: LiveEvent): CallState {
  if (event.seq <= state.lastSeq || event.call_id !== state.callId) return state;
  return { ...state, ...changeOf(state, event), lastSeq: event.seq };
}

function changeOf(state: CallState, event: LiveEvent): Partial<CallState> {
  switch (event.type) {
    case "call.started":
      return { source: event.payload.source, startedAt: event.at, phase: event.payload.source === "live" ? "active" : "ended" };
    case "segment.interim":
      return { interims: withInterim(state, event.payload) };
    case "segment.final":
      return withFinal(state, event.payload);
    case "entities.updated":
      return { entities: event.payload.entities };
    case "classification.updated":
      return { classification: event.payload.classification };
    case "summary.updated":
      return { summary: event.payload.summary };
    case "answers.updated":
      return { answers: event.payload.answers };
    case "quality.updated":
      return { quality: event.payload.quality };
    case "translation.added":
      return { translation: event.payload.translation };
    case "risk.raised": {
      const { finding, is_interim: isInterim = false } = event.payload;
      return { risks: withRaised(state.risks, { finding, isInterim, raisedAt: event.at }) };
    }
    case "risk.acknowledged":
      return { risks: withAcknowledged(state.risks, { kind: event.payload.kind, by: event.payload.acknowledged_by, at: event.at }) };
    default:
      return courseOf(state, event);
  }
}

/** How the call itself goes, and its analysis afterwards. */
function courseOf(state: CallState, event: LiveEvent): Partial<CallState> {
  switch (event.type) {
    case "dtmf.received":
      return { notes: [...state.notes, { kind: "digit", atMs: event.payload.at_ms, channel: event.payload.channel, digit: event.payload.digit }] };
    case "call.paused":
      return { phase: "paused", notes: [...state.notes, { kind: "paused", atMs: event.payload.at_ms }] };
    case "call.resumed":
      return { phase: "active", notes: [...state.notes, { kind: "resumed", atMs: event.payload.at_ms }] };
    case "call.measured": {
      const { state: phase, duration_ms: durationMs, lag_ms: lagMs, audio, warnings } = event.payload;
      // A measurement may be told after the end; the call does not come back to life by it.
      return { phase: state.endReason === undefined ? phase : "ended", durationMs, lagMs: lagMs ?? undefined, audio, warnings };
    }
    case "call.ended": {
      const { reason, duration_ms: durationMs, audio = state.audio } = event.payload;
      return { phase: "ended", endReason: reason, durationMs, audio, lagMs: undefined };
    }
    case "analysis.progressed": {
      const { stage, status, progress, error_code: errorCode } = event.payload;
      const told: StageState = { stage, status, ...(errorCode === undefined ? {} : { errorCode }) };
      return { stages: [...state.stages.filter((known) => known.stage !== stage), told], progress: Math.max(state.progress, progress) };
    }
    case "analysis.completed":
      return { outcome: event.payload.is_partial ? "partial" : "complete", progress: 100, interims: new Map() };
    case "call.failed":
      return { phase: state.endReason === undefined ? "failed" : "ended", outcome: event.payload.status, interims: new Map() };
    default:
      return {};
  }
}

function withInterim(state: CallState, payload: LiveEventOf<"segment.interim">["payload"]): ReadonlyMap<string, InterimText> {
  const { segment_id: id, channel, start_ms: startMs, end_ms: endMs, text, stable_length: stableLength } = payload;
  if (state.segments.has(id) || state.pass === "recording") return state.interims;
  const interims = new Map(state.interims);
  if (text === "") interims.delete(id);
  else interims.set(id, { id, channel, startMs, endMs, text, stableLength });
  return interims;
}

function withFinal(state: CallState, { pass = "recording", segment }: LiveEventOf<"segment.final">["payload"]): Partial<CallState> {
  if (pass === "live" && state.pass === "recording") return {};
  if (pass !== state.pass) return { pass, segments: new Map([[segment.id, segment]]), interims: new Map() };
  const interims = new Map(state.interims);
  interims.delete(segment.id);
  return { segments: new Map(state.segments).set(segment.id, segment), interims };
}

/** Fills a call that told no events (they may be gone) from its stored analysis. */
export function withAnalysis(state: CallState, analysis: Analysis): CallState {
  const { transcript, entities, classification, summary, answers, quality, translation, risk, audio, status } = analysis;
  const segments = transcript?.segments.map((segment) => [segment.id, segment] as const);
  const raisedAt = state.startedAt ?? "";
  return {
    ...state,
    phase: state.phase ?? "ended",
    pass: segments === undefined ? state.pass : "recording",
    segments: segments === undefined ? state.segments : new Map(segments),
    entities: entities ?? state.entities,
    classification: classification ?? state.classification,
    summary: summary ?? state.summary,
    answers: answers ?? state.answers,
    quality: quality ?? state.quality,
    translation: translation ?? state.translation,
    risks: (risk ?? []).reduce<readonly RiskState[]>((risks, finding) => withRaised(risks, { finding, isInterim: false, raisedAt }), state.risks),
    audio: audio ?? state.audio,
    durationMs: audio?.duration_ms ?? state.durationMs,
    warnings: analysis.warnings,
    outcome: status === "completed" ? "complete" : status === "failed" || status === "cancelled" ? status : state.outcome,
  };
}

/** Whether the call can still be paused or ended. */
export function isRunning(phase: CallPhase | undefined): boolean {
  return phase === "ringing" || phase === "active" || phase === "paused" || phase === "ending";
}
