/** Counts the jobs that were started lately, where one process starts them all. */
import type { RateLimit } from "../queue-backend.js";

export class StartLimit {
  readonly #limit: RateLimit;
  /** When each was started, oldest first; no more than `max`. */
  readonly #startsMs: number[] = [];

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** How many may be started now. */
  free(nowMs: number): number {
    while (this.#startsMs.length > 0 && this.freeAtMs() <= nowMs) this.#startsMs.shift();
    return this.#limit.max - this.#startsMs.length;
  }

  /** When the oldest of those that were started stops counting. */
  freeAtMs(): number {
    return (this.#startsMs[0] ?? Number.NEGATIVE_INFINITY) + this.#limit.durationMs;
  }

  /** Before the jobs are claimed: another consumer may claim at the same moment. */
  reserve(count: number, nowMs: number): void {
    for (let each = 0; each < count; each++) this.#startsMs.push(nowMs);
  }

  /** So many of those reserved last were not claimed. */
  release(count: number): void {
    this.#startsMs.length = Math.max(0, this.#startsMs.length - count);
  }
}
