/** Waiting in tests: always for a condition, never for a time. */
import { setTimeout as wait } from "node:timers/promises";

const POLL_MS = 4;

/** Resolves once `condition` holds; fails with `what` when it does not within the deadline. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 15_000, pollMs = POLL_MS): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain until ${what}`);
    await wait(pollMs);
  }
}

export interface Gate {
  /** Resolves when the gate opens. */
  readonly opened: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Never resolves; rejects with the signal's reason. A handler that minds its signal and does nothing else. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
