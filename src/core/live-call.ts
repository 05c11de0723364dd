/** The words for a call that runs: its states, why it ended, and what is known of it now. */
import type { CallLeg, CallRecord, ProcessingMode } from "./call.js";
import type { LiveAudio } from "./live-ledger.js";
import type { RiskKind } from "./risk.js";
import type { Channel } from "./transcript.js";

/** `ringing`: announced, no audio yet. `ending`: nothing more is heard, text of what was heard is still to come. */
export const CALL_SESSION_STATES = ["ringing", "active", "paused", "ending", "ended", "failed"] as const;
export type CallSessionState = (typeof CALL_SESSION_STATES)[number];

/** `hangup`: all legs went. `crashed`: the service died during the call and closed it at its next start. */
export const CALL_END_REASONS = ["hangup", "idle", "requested", "stopped", "crashed"] as const;
export type CallEndReason = (typeof CALL_END_REASONS)[number];

/** What the exchange or the helpline's system tells of a call; nothing here was said. */
export interface CallDetails {
  readonly agentId?: string;
  readonly extension?: string;
  readonly queue?: string;
  readonly direction?: CallRecord["direction"];
  readonly externalId?: string;
  readonly mode?: ProcessingMode;
  /** A tag, or `auto`. */
  readonly language?: string;
}

/** A snapshot. */
export interface LiveCallStatus {
  readonly callId: string;
  readonly taskId: string;
  readonly state: CallSessionState;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly mode: ProcessingMode;
  readonly agentId?: string;
  readonly legs: readonly CallLeg[];
  readonly languages: readonly string[];
  readonly lagMs: number;
  readonly riskKinds: readonly RiskKind[];
  readonly segmentCount: number;
  readonly audio: LiveAudio;
  readonly warnings: readonly string[];
}

/** Where audio of a channel was received, in call time, for the ledger of a later pass. */
export interface ChannelCoverage {
  readonly channel: Channel;
  readonly receivedMs: number;
  readonly pausedMs: number;
  readonly gapMs: number;
  /** Sorted, half-open; what was paused is not among them. */
  readonly spans: readonly { readonly startMs: number; readonly endMs: number }[];
}
