import { describe, expect, it } from "vitest";
import { afterFailure } from "../../../src/calls/delivery/delivery-policy.js";
import type { DeliveryCursor } from "../../../src/core/webhook.js";

const NOW_MS = 1_000_000_000;
const DAY_MS = 86_400_000;
const fresh: DeliveryCursor = { webhookId: "w", callId: "c", nextSeq: 7, status: "pending", attempts: 0, nextAttemptAtMs: 0, failingSinceMs: null };

describe("deliveries that failed", () => {
  it("are tried again after a second, then twice as long each time, spread by a quarter either way", () => {
    let cursor = fresh;
    for (const expectedMs of [1_000, 2_000, 4_000, 8_000]) {
      for (const [chance, factor] of [
        [0, 0.75],
        [0.5, 1],
        [1, 1.25],
      ] as const) {
        expect(afterFailure(cursor, NOW_MS, chance).nextAttemptAtMs).toBe(NOW_MS + expectedMs * factor);
      }
      cursor = afterFailure(cursor, NOW_MS, 0.5);
    }
    expect(cursor).toMatchObject({ attempts: 4, nextSeq: 7, status: "pending", failingSinceMs: NOW_MS });
  });

  it("wait an hour at most, however often they failed", () => {
    expect(afterFailure({ ...fresh, attempts: 5_000, failingSinceMs: NOW_MS }, NOW_MS, 0.5).nextAttemptAtMs).toBe(NOW_MS + 3_600_000);
  });

  it("are given up after a week, and not before", () => {
    const failing = { ...fresh, attempts: 3, failingSinceMs: NOW_MS };
    expect(afterFailure(failing, NOW_MS + 7 * DAY_MS - 1, 0).status).toBe("pending");
    expect(afterFailure(failing, NOW_MS + 7 * DAY_MS, 0).status).toBe("dead");
  });
});
