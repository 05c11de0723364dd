/** The events of a call as they come over the socket, and how a message is read. Unknown types keep their place in the sequence and change nothing. */
import type { CallAudio, CallPhase, CaseAnswer, Channel, Classification, Entity, Quality, RiskFinding, Segment, Summary, Translation } from "./call-shapes.js";

interface Payloads {
  readonly "call.started": { readonly source: "live" | "upload" };
  readonly "segment.interim": {
    readonly segment_id: string;
    readonly channel: Channel;
    readonly start_ms: number;
    readonly end_ms: number;
    readonly text: string;
    readonly stable_length: number;
  };
  readonly "segment.final": { readonly pass?: "live" | "recording"; readonly segment: Segment };
  readonly "entities.updated": { readonly entities: readonly Entity[] };
  readonly "classification.updated": { readonly classification: Classification };
  readonly "summary.updated": { readonly summary: Summary };
  readonly "answers.updated": { readonly answers: readonly CaseAnswer[] };
  readonly "quality.updated": { readonly quality: Quality };
  readonly "translation.added": { readonly translation: Translation };
  readonly "risk.raised": { readonly finding: RiskFinding; readonly is_interim?: boolean };
  readonly "risk.acknowledged": { readonly kind: string; readonly acknowledged_by: string };
  readonly "dtmf.received": { readonly channel: Channel; readonly digit: string; readonly at_ms: number };
  readonly "call.paused": { readonly at_ms: number };
  readonly "call.resumed": { readonly at_ms: number };
  readonly "call.measured": {
    readonly state: CallPhase;
    readonly duration_ms: number;
    readonly lag_ms: number | null;
    readonly audio: CallAudio;
    readonly warnings: readonly string[];
  };
  readonly "call.ended": {
    readonly reason: "hangup" | "idle" | "requested" | "stopped" | "crashed";
    readonly duration_ms: number;
    readonly audio?: CallAudio;
  };
  readonly "analysis.progressed": {
    readonly stage: string;
    readonly status: "completed" | "failed" | "skipped";
    readonly progress: number;
    readonly error_code?: string;
  };
  readonly "analysis.completed": { readonly is_partial: boolean };
  readonly "call.failed": { readonly status: "failed" | "cancelled"; readonly error_code: string };
}

export type LiveEventType = keyof Payloads;

export type LiveEvent = {
  readonly [Type in LiveEventType]: {
    readonly seq: number;
    readonly type: Type;
    readonly call_id: string;
    readonly at: string;
    readonly payload: Payloads[Type];
  };
}[LiveEventType];

export type LiveEventOf<Type extends LiveEventType> = Extract<LiveEvent, { type: Type }>;

/** @returns `"heartbeat"`, or undefined for what is not a message of ours. */
export function readLiveMessage(text: string): LiveEvent | "heartbeat" | undefined {
  const message = parse(text);
  if (typeof message !== "object" || message === null) return undefined;
  const { type, seq, call_id: callId, payload } = message as Record<string, unknown>;
  if (type === "heartbeat") return "heartbeat";
  const isEvent = typeof type === "string" && Number.isInteger(seq) && typeof callId === "string" && typeof payload === "object" && payload !== null;
  return isEvent ? (message as LiveEvent) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
