/** Which passes a live call gets: text while it runs, its whole recording heard afterwards, or both. Pure. */
import type { ProcessingMode } from "../../core/call.js";

/** What is known of a call when it ends. */
export interface EndedCallFacts {
  readonly hasRisk: boolean;
  /** Speech that became no text while the call ran. */
  readonly failedMs: number;
  readonly durationMs: number;
}

/** A short call of which every word was heard has nothing more to give. */
const SHORT_CALL_MS = 30_000;

/** Whether a call of this mode becomes text while it runs. */
export function isHeardLive(mode: ProcessingMode): boolean {
  return mode !== "post_call";
}

/** `adaptive`: again unless the call was short, calm and heard whole. */
export function isHeardAgain(mode: ProcessingMode, { hasRisk, failedMs, durationMs }: EndedCallFacts): boolean {
  if (mode !== "adaptive") return mode !== "realtime";
  return hasRisk || failedMs > 0 || durationMs >= SHORT_CALL_MS;
}
