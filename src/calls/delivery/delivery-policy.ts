/** When a delivery that failed is tried again, and when it is given up. Pure. */
import type { DeliveryCursor } from "../../core/webhook.js";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 3_600_000;
/** A weekend without anybody, and a day to mend it. */
const GIVE_UP_AFTER_MS = 7 * 86_400_000;

/** @param chance - 0..1: spreads what failed together. */
export function afterFailure(cursor: DeliveryCursor, nowMs: number, chance: number): DeliveryCursor {
  const attempts = cursor.attempts + 1;
  const failingSinceMs = cursor.failingSinceMs ?? nowMs;
  const isDead = nowMs - failingSinceMs >= GIVE_UP_AFTER_MS;
  const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20)) * (0.75 + chance / 2);
  return { ...cursor, attempts, failingSinceMs, status: isDead ? "dead" : "pending", nextAttemptAtMs: Math.round(nowMs + delayMs) };
}
