/** The clock contract: policy code takes one, so that tests own time. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Epoch milliseconds: for what is stored and shown. It may jump, either way. */
  nowMs(): number;
  /** Milliseconds since some moment: for durations. It never jumps. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`; the owner cancels it. */
  schedule(delayMs: number, task: () => void): Timer;
}

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const handle = setTimeout(task, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
