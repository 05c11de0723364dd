/** The machine's clock, whose timers a test can hold back: a process that sleeps, or one that is gone. */
import { type Clock, systemClock, type Timer } from "../../src/core/clock.js";

export class FreezableClock implements Clock {
  readonly #pending = new Set<symbol>();
  #held: (() => void)[] = [];
  #isFrozen = false;

  nowMs(): number {
    return systemClock.nowMs();
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  schedule(delayMs: number, task: () => void): Timer {
    const mark = Symbol("timer");
    this.#pending.add(mark);
    const run = (): void => {
      if (!this.#pending.has(mark)) return;
      if (this.#isFrozen) {
        this.#held.push(run);
        return;
      }
      this.#pending.delete(mark);
      task();
    };
    const timer = systemClock.schedule(delayMs, run);
    return {
      cancel: () => {
        this.#pending.delete(mark);
        timer.cancel();
      },
    };
  }

  /** Timers that fall due from now on wait for `thaw`. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  /** Timers neither run nor cancelled. */
  get pendingTimers(): number {
    return this.#pending.size;
  }
}
