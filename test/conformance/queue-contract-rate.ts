/** Queue contract: no more jobs are started in a time than allowed, whoever starts them. */
import { describe, expect, it } from "vitest";
import type { JobContext } from "../../src/queue/queue-backend.js";
import { job, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";

/** BullMQ counts in windows that begin with their first job: the last of one and the first of the next may lie close together. */
const EARLY_MS = 20;

export function describeQueueRate(harness: HarnessOfTest): void {
  describe("rate limits", () => {
    it("start no more jobs than allowed in their time, and all of them in the end", async () => {
      const { queue } = await harness().openNode();
      const startsMs: number[] = [];
      const handler = async (_context: JobContext): Promise<void> => {
        startsMs.push(Date.now());
      };
      const enqueued = await queue.enqueueMany(
        "recordings",
        Array.from({ length: 7 }, (_, index) => job(`job ${index}`)),
      );
      const options = { concurrency: 4, rateLimit: { max: 3, durationMs: 700 } };
      for (let consumers = 0; consumers < 2; consumers++) queue.consume("recordings", handler, options);
      for (const { jobId } of enqueued) expect(await untilStatus(queue, jobId, "completed")).toMatchObject({ attempt: 1 });
      expect(startsMs).toHaveLength(7);
      const [first = 0, , , fourth = 0, , , seventh = 0] = startsMs.sort((a, b) => a - b);
      expect(fourth - first).toBeGreaterThanOrEqual(700 - EARLY_MS);
      expect(seventh - fourth).toBeGreaterThanOrEqual(700 - EARLY_MS);
    });

    it("leave other queues alone", async () => {
      const { queue } = await harness().openNode();
      const slow = await queue.enqueueMany("recordings", [job("first"), job("second")]);
      queue.consume("recordings", async () => {}, { concurrency: 1, rateLimit: { max: 1, durationMs: 3_600_000 } });
      await untilStatus(queue, slow[0]?.jobId ?? "", "completed");
      queue.consume("models", async () => {}, { concurrency: 1 });
      const others = await queue.enqueueMany("models", [job("third"), job("fourth")]);
      for (const { jobId } of others) await untilStatus(queue, jobId, "completed");
      expect(await queue.find(slow[1]?.jobId ?? "")).toMatchObject({ status: "queued", attempt: 0 });
    });
  });
}
