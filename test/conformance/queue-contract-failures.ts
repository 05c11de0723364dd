/** Queue contract: how a handler's end decides what becomes of its job. */
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.js";
import { newId } from "../../src/core/ids.js";
import { PermanentJobError, type QueueBackend, RetryAfterError } from "../../src/queue/queue-backend.js";
import { FakeClock } from "../support/fake-clock.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { until } from "../support/until.js";

/** Moves time on in small steps until the handler has been called so often; time stands still from the last call on. */
async function advanceUntilCalls(clock: FakeClock, calls: () => number, count: number): Promise<void> {
  await until(`the handler was called ${count} times`, () => {
    if (calls() === count) return true;
    clock.advance(50);
    return false;
  });
}

/** True when a waiting job is not due yet. */
async function isDelayed(queue: QueueBackend): Promise<boolean> {
  const { delayed, queued } = await queue.counts("recordings");
  return delayed === 1 && queued === 0;
}

export function describeQueueFailures(harness: HarnessOfTest): void {
  describe("failures", () => {
    // Retry delays by hand: 1000, 2000, 4000 capped to 3000; jitter takes them down to half at most.
    it.each([
      ["least", 0, [500, 1_000, 1_500]],
      ["most", 0.999999, [1_000, 2_000, 3_000]],
    ] as const)("waits twice as long after each failed attempt up to its limit, with the %s jitter", async (_jitter, random, delays) => {
      const clock = new FakeClock();
      const retryPolicy = { firstDelayMs: 1_000, maxDelayMs: 3_000 };
      const { queue } = await harness().openNode({ clock, retryPolicy, random: () => random, leaseMs: 600_000, pollIntervalMs: 60_000 });
      const log = logJobs(async () => {
        throw new Error("it does not work");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("failing", { maxAttempts: 4 }));
      for (const [index, delayMs] of delays.entries()) {
        await until("the attempt has failed", async () => log.seen.length === index + 1 && (await queue.find(jobId))?.status === "queued");
        clock.advance(delayMs - 1);
        expect(await isDelayed(queue), `attempt ${index + 2} must wait ${delayMs} ms`).toBe(true);
        clock.advance(1);
        expect(await isDelayed(queue), `attempt ${index + 2} must wait no longer than ${delayMs} ms`).toBe(false);
        await advanceUntilCalls(clock, () => log.seen.length, index + 2);
      }
      expect(await untilStatus(queue, jobId, "failed")).toMatchObject({ attempt: 4 });
    });

    it("numbers the attempts from 1 and keeps the job as dead after the last", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs(async () => {
        throw new AppError("MODEL_PROCESS_FAILED", "A model process ended.", { retryable: true });
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("failing", { maxAttempts: 3 }));
      const record = await untilStatus(queue, jobId, "failed");
      expect(log.seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      expect(record).toMatchObject({ attempt: 3, errorCode: "MODEL_PROCESS_FAILED" });
      expect(record.finishedAtMs).not.toBeNull();
    });

    it("completes a job whose second attempt works", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs(async ({ job: { attempt } }) => {
        if (attempt === 1) throw new Error("not yet");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("second time lucky"));
      expect(await untilStatus(queue, jobId, "completed")).toMatchObject({ attempt: 2, errorCode: null });
    });

    it("treats a handler that throws before its first await like any failure", async () => {
      const { queue } = await harness().openNode();
      queue.consume(
        "recordings",
        () => {
          throw new RangeError("at once");
        },
        { concurrency: 1 },
      );
      const { jobId } = await queue.enqueue("recordings", job("throws", { maxAttempts: 1 }));
      expect(await untilStatus(queue, jobId, "failed")).toMatchObject({ attempt: 1, errorCode: "INTERNAL" });
    });

    it("makes a job dead at once when its handler says it can never succeed", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs(async () => {
        throw new PermanentJobError("AUDIO_UNSUPPORTED_FORMAT");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("hopeless", { maxAttempts: 20 }));
      expect(await untilStatus(queue, jobId, "failed")).toMatchObject({ attempt: 1, errorCode: "AUDIO_UNSUPPORTED_FORMAT" });
      expect(log.seen).toHaveLength(1);
    });

    it("runs a job again after the delay its handler asks for, without spending an attempt", async () => {
      const clock = new FakeClock();
      const { queue } = await harness().openNode({ clock, leaseMs: 600_000, pollIntervalMs: 60_000 });
      const log = logJobs(async () => {
        if (log.seen.length <= 3) throw new RetryAfterError(2_000);
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("later", { maxAttempts: 1 }));
      await until("the first call has ended", async () => log.seen.length === 1 && (await queue.find(jobId))?.status === "queued");
      expect(await queue.find(jobId)).toMatchObject({ attempt: 0 });
      clock.advance(1_999);
      expect(await isDelayed(queue)).toBe(true);
      for (const calls of [2, 3, 4]) await advanceUntilCalls(clock, () => log.seen.length, calls);
      await untilStatus(queue, jobId, "completed");
      expect(log.seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    });

    it("keeps a dead job until it is retried, and gives it all its attempts back then", async () => {
      const { queue } = await harness().openNode();
      let isRepaired = false;
      const log = logJobs(async ({ job: { attempt } }) => {
        if (!isRepaired || attempt === 1) throw new Error("broken");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("dead", { maxAttempts: 2 }));
      await untilStatus(queue, jobId, "failed");
      expect((await queue.list({ queue: "recordings", statuses: ["failed"], limit: 5 })).map((record) => record.jobId)).toEqual([jobId]);
      isRepaired = true;
      await queue.retryDead(jobId);
      expect(await untilStatus(queue, jobId, "completed")).toMatchObject({ attempt: 2, errorCode: null });
      expect(log.seen.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2]);
    });

    it("removes a dead job when it is discarded", async () => {
      const { queue } = await harness().openNode();
      queue.consume(
        "recordings",
        async () => {
          throw new PermanentJobError("AUDIO_EMPTY");
        },
        { concurrency: 1 },
      );
      const { jobId } = await queue.enqueue("recordings", job("dead"));
      await untilStatus(queue, jobId, "failed");
      await queue.discardDead(jobId);
      expect(await queue.find(jobId)).toBeUndefined();
      expect(await queue.counts("recordings")).toMatchObject({ failed: 0 });
      await expect(queue.discardDead(jobId)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
    });

    it("retries and discards only what is there and dead", async () => {
      const { queue } = await harness().openNode();
      const { jobId } = await queue.enqueue("recordings", job("alive"));
      const done = await queue.enqueue("models", job("done"));
      queue.consume("models", logJobs().handler, { concurrency: 1 });
      await untilStatus(queue, done.jobId, "completed");
      for (const id of [jobId, done.jobId]) {
        await expect(queue.retryDead(id)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_DEAD" });
        await expect(queue.discardDead(id)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_DEAD" });
      }
      await expect(queue.retryDead(newId())).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
      await expect(queue.discardDead(newId())).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
      expect(await queue.find(jobId)).toMatchObject({ status: "queued" });
      expect(await queue.find(done.jobId)).toMatchObject({ status: "completed" });
    });
  });
}
