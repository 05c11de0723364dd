/** How long to wait before a lost connection is tried again: doubling, with chance, so that many pages do not come back at once. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * @param attempt - failed tries so far, from 0.
 * @param chance - 0..1, e.g. `Math.random()`.
 * @returns milliseconds, at least half of the doubled step.
 */
export function backOffMs(attempt: number, chance: number): number {
  const stepMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(stepMs * (0.5 + 0.5 * chance));
}
