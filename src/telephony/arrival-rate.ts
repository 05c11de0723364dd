/**
 * Does what arrives fit what was declared? Audio that comes much faster or slower than its rate says is probably of
 * another rate or codec; and nobody may push more than the line allows. Pure; it never changes how audio is read.
 */

export interface ArrivalRateOptions {
  /** Times real time that a stream may come at, in the long run. */
  readonly maxPace: number;
}

export type ArrivalVerdict = "fine" | "too_fast" | "unlikely";

/** A stream may be this far ahead at any time: recordings are replayed, lines catch up. */
const MAX_BURST_MS = 120_000;
/** From here on the pace says something. */
const JUDGED_AFTER_MS = 10_000;
/** Twice or half the declared rate, with room for jitter. */
const UNLIKELY_FAST = 1.6;
const UNLIKELY_SLOW = 0.6;
const MAX_LIVE_PACE = 2.6;

export class ArrivalRate {
  readonly #options: ArrivalRateOptions;
  readonly #startedAtMs: number;
  #audioMs = 0;

  constructor(options: ArrivalRateOptions, nowMs: number) {
    this.#options = options;
    this.#startedAtMs = nowMs;
  }

  /** `audioMs` of audio arrived. */
  receive(audioMs: number, nowMs: number): ArrivalVerdict {
    this.#audioMs += audioMs;
    const elapsedMs = nowMs - this.#startedAtMs;
    if (this.#audioMs > MAX_BURST_MS + elapsedMs * this.#options.maxPace) return "too_fast";
    if (elapsedMs < JUDGED_AFTER_MS) return "fine";
    const pace = this.#audioMs / elapsedMs;
    // Faster than any codec mistake is a replay, and slower may be a line with pauses: only what looks like another rate is told.
    return (pace > UNLIKELY_FAST && pace < MAX_LIVE_PACE) || (pace < UNLIKELY_SLOW && pace > 0.4) ? "unlikely" : "fine";
  }
}
