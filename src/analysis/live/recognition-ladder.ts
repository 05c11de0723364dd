/**
 * What is done when calls speak faster than they can be heard: a smaller model hears them, then a still smaller one, and at last
 * they are only recorded. Up again when there is room. Pure.
 */

/** Finished speech that waits so long for its text is too late to help. */
const STEP_DOWN_LAG_MS = 8_000;
/** The last step means no text at all: it is taken late. */
const RECORD_ONLY_LAG_MS = 60_000;
/** A step has so long to show what it does. */
const PATIENCE_MS = 6_000;
const STEP_UP_LAG_MS = 1_500;
/** So long everything must have been heard in time. */
const STEP_UP_AFTER_MS = 60_000;

/** Level 0 is the engine that was chosen, the highest level records only. */
export class RecognitionLadder {
  #level = 0;
  #steppedAtMs = Number.NEGATIVE_INFINITY;
  #calmSinceMs: number | undefined;

  /** @returns the level to be on now. @param lagMs - of the finished speech that waits longest. @param highest - 1 or more, records only */
  observe(lagMs: number, nowMs: number, highest: number): number {
    if (lagMs > STEP_UP_LAG_MS) this.#calmSinceMs = undefined;
    else this.#calmSinceMs ??= nowMs;
    const limitMs = this.#level + 1 >= highest ? RECORD_ONLY_LAG_MS : STEP_DOWN_LAG_MS;
    if (this.#level < highest && lagMs > limitMs && nowMs - this.#steppedAtMs >= PATIENCE_MS) this.#step(1, nowMs);
    else if (this.#level > 0 && this.#calmSinceMs !== undefined && nowMs - Math.max(this.#calmSinceMs, this.#steppedAtMs) >= STEP_UP_AFTER_MS)
      this.#step(-1, nowMs);
    this.#level = Math.min(this.#level, highest);
    return this.#level;
  }

  #step(by: 1 | -1, nowMs: number): void {
    this.#level += by;
    this.#steppedAtMs = nowMs;
    this.#calmSinceMs = undefined;
  }
}
