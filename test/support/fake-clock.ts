/** A clock that stands still until a test moves it. */
import type { Clock, Timer } from "../../src/core/clock.js";

interface Scheduled {
  readonly atMs: number;
  readonly task: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  readonly #scheduled = new Set<Scheduled>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** Moved with the other; a test that sets the wall clock sets both. */
  monotonicMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, task: () => void): Timer {
    const scheduled = { atMs: this.#nowMs + delayMs, task };
    this.#scheduled.add(scheduled);
    return { cancel: () => this.#scheduled.delete(scheduled) };
  }

  /** Moves time on and runs what falls due, in order of time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let next = this.#nextUntil(endMs); next !== undefined; next = this.#nextUntil(endMs)) {
      this.#scheduled.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
    }
    this.#nowMs = endMs;
  }

  get pendingTimers(): number {
    return this.#scheduled.size;
  }

  #nextUntil(endMs: number): Scheduled | undefined {
    return [...this.#scheduled].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
  }
}
