/** What limits of requests are to mean, of one process and of several, as tests: src/gateway/limits/request-limits.ts. */
import { describe, expect, it, onTestFinished } from "vitest";
import { newId } from "../../src/core/ids.js";
import type { RequestAllowance, RequestLimits } from "../../src/gateway/limits/request-limits.js";

export interface RequestLimitsHarness {
  /** The same limits as so many processes have them. */
  open(allowance: RequestAllowance, processes: number): Promise<readonly RequestLimits[]>;
  close(): Promise<void>;
}

const SLOW: RequestAllowance = { perSecond: 10, burst: 30 };

async function countTaken(limits: RequestLimits, caller: string, requests: number): Promise<number> {
  const outcomes = await Promise.allSettled(Array.from({ length: requests }, () => limits.consume(caller)));
  for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "GATEWAY_RATE_LIMITED", retryable: true });
  return outcomes.filter(({ status }) => status === "fulfilled").length;
}

export function describeRequestLimits(name: string, start: () => Promise<RequestLimitsHarness>): void {
  describe(`request limits contract: ${name}`, () => {
    const open = async (processes = 1): Promise<readonly RequestLimits[]> => {
      const harness = await start();
      onTestFinished(() => harness.close());
      return harness.open(SLOW, processes);
    };

    it("lets a caller make as many requests at once as the burst, and says how long to wait", async () => {
      const [limits] = await open();
      const caller = newId();
      const taken = await countTaken(limits as RequestLimits, caller, 200);
      // Each second that ends while they are made allows ten more.
      expect(taken).toBeGreaterThanOrEqual(30);
      expect(taken).toBeLessThanOrEqual(100);
      const refusal = await (limits as RequestLimits).consume(caller).catch((error: unknown) => error);
      if (refusal !== undefined) expect((refusal as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    });

    it("counts each caller alone", async () => {
      const [limits] = await open();
      await countTaken(limits as RequestLimits, "one", 100);
      expect(await countTaken(limits as RequestLimits, "other", 10)).toBe(10);
    });

    it("allows more when a second has passed", async () => {
      const [limits] = await open();
      await countTaken(limits as RequestLimits, "patient", 100);
      await expect.poll(() => countTaken(limits as RequestLimits, "patient", 1), { timeout: 5_000, interval: 100 }).toBe(1);
    });
  });
}
