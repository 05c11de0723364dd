/** When a failed job runs again: exponential back-off with jitter, pure arithmetic. */

export interface RetryPolicy {
  /** Delay before the second attempt, before jitter. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = { firstDelayMs: 1_000, maxDelayMs: 300_000 };

/**
 * When a job is due. One that waits for nothing carries no time: a clock that is set back must not hold it up.
 *
 * @returns epoch milliseconds, or 0 for at once.
 */
export function dueAtMs(nowMs: number, delayMs: number): number {
  return delayMs === 0 ? 0 : nowMs + delayMs;
}

/**
 * Delay before the next attempt: between half and all of `firstDelayMs * 2^(attempt - 1)`, capped. The jitter keeps
 * jobs that failed together from coming back together.
 *
 * @param attempt - handler calls so far, from 1.
 * @param random - 0 <= value < 1.
 */
export function backoffDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
  const fullMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
  return Math.round(fullMs / 2 + (fullMs / 2) * random);
}
