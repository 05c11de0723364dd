import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffDelayMs, DEFAULT_RETRY_POLICY } from "../../../src/queue/retry-policy.js";

const POLICY = { firstDelayMs: 1_000, maxDelayMs: 10_000 };

describe("backoffDelayMs", () => {
  it("doubles from attempt to attempt up to the limit", () => {
    const almostOne = 1 - 2 ** -53;
    expect([1, 2, 3, 4, 5, 6, 20].map((attempt) => backoffDelayMs(POLICY, attempt, almostOne))).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it("takes half of it at the least", () => {
    expect([1, 2, 3, 4, 5].map((attempt) => backoffDelayMs(POLICY, attempt, 0))).toEqual([500, 1_000, 2_000, 4_000, 5_000]);
  });

  it("lies between half and all of the full delay, in whole milliseconds, for any policy", () => {
    const policies = fc.record({ firstDelayMs: fc.integer({ min: 1, max: 600_000 }), maxDelayMs: fc.integer({ min: 1, max: 600_000 }) });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 60 }), random, (policy, attempt, value) => {
        const fullMs = Math.min(policy.maxDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
        const delayMs = backoffDelayMs(policy, attempt, value);
        expect(Number.isSafeInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(fullMs / 2));
        expect(delayMs).toBeLessThanOrEqual(fullMs);
      }),
    );
  });

  it("rises with the random number, so that jobs that failed together come back apart", () => {
    const delays = [0, 0.25, 0.5, 0.75].map((random) => backoffDelayMs(POLICY, 2, random));
    expect(delays).toEqual([1_000, 1_250, 1_500, 1_750]);
  });

  it("starts at a second and ends at five minutes unless told otherwise", () => {
    expect(backoffDelayMs(DEFAULT_RETRY_POLICY, 1, 0)).toBe(500);
    expect(backoffDelayMs(DEFAULT_RETRY_POLICY, 30, 0)).toBe(150_000);
  });
});
