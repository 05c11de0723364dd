/** The state machine of a live call: which state follows which, and nothing else. Pure. */
import type { CallSessionState } from "../../core/live-call.js";

/** `drained`: the last text of an ending call has come, or won't. `returned`: a leg came back to a call that had ended. */
export type CallSessionSignal = "audio" | "pause" | "resume" | "end" | "drained" | "returned" | "fail";

const TRANSITIONS: Readonly<Record<CallSessionState, Partial<Record<CallSessionSignal, CallSessionState>>>> = {
  ringing: { audio: "active", end: "ended", fail: "failed" },
  active: { audio: "active", pause: "paused", end: "ending", fail: "failed" },
  paused: { audio: "paused", resume: "active", end: "ending", fail: "failed" },
  ending: { drained: "ended", fail: "failed" },
  ended: { returned: "active" },
  failed: {},
};

/** @returns undefined when the signal means nothing in this state. */
export function nextState(state: CallSessionState, signal: CallSessionSignal): CallSessionState | undefined {
  return TRANSITIONS[state][signal];
}
