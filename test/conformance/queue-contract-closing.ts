/** Queue contract: the end of a consumer and of the whole queue. */
import { describe, expect, it } from "vitest";
import { FreezableClock } from "../support/freezable-clock.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { createGate, until, untilAborted } from "../support/until.js";

export function describeQueueClosing(harness: HarnessOfTest): void {
  describe("closing", () => {
    it("waits for the running job and takes no other", async () => {
      const { queue } = await harness().openNode();
      const gate = createGate();
      const log = logJobs(() => gate.opened);
      const consumer = queue.consume("recordings", log.handler, { concurrency: 1 });
      const [running, waiting] = [await queue.enqueue("recordings", job("running")), await queue.enqueue("recordings", job("waiting"))];
      await until("the job runs", () => log.seen.length === 1);
      let isClosed = false;
      const closing = consumer.close(30_000).then(() => {
        isClosed = true;
      });
      expect(await queue.find(running.jobId)).toMatchObject({ status: "processing" });
      expect(isClosed).toBe(false);
      gate.open();
      await closing;
      expect(await queue.find(running.jobId)).toMatchObject({ status: "completed", attempt: 1 });
      expect(await queue.find(waiting.jobId)).toMatchObject({ status: "queued", attempt: 0 });
      expect(log.names()).toEqual(["running"]);
    });

    it("aborts what runs past the deadline and hands it back with no attempt spent", async () => {
      const first = await harness().openNode();
      const log = logJobs(({ signal }) => untilAborted(signal));
      first.queue.consume("recordings", log.handler, { concurrency: 2 });
      const { jobId } = await first.queue.enqueue("recordings", job("long", { maxAttempts: 1 }));
      await until("the job runs", () => log.seen.length === 1);
      await first.queue.close(30);
      expect(await first.queue.find(jobId)).toMatchObject({ status: "queued", attempt: 0, errorCode: null });
      const second = await harness().openNode();
      const later = logJobs();
      second.queue.consume("recordings", later.handler, { concurrency: 1 });
      await untilStatus(second.queue, jobId, "completed");
      expect(later.seen.map(({ attempt }) => attempt)).toEqual([1]);
    });

    it("ends soon after the deadline although a handler minds no signal, and hands its job back", async () => {
      const { queue } = await harness().openNode();
      const gate = createGate();
      const log = logJobs(() => gate.opened);
      const consumer = queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("deaf"));
      await until("the job runs", () => log.seen.length === 1);
      let isClosed = false;
      const closing = consumer.close(30).then(() => {
        isClosed = true;
      });
      try {
        await until("the consumer is closed", () => isClosed, 3_000);
        expect(await queue.find(jobId)).toMatchObject({ status: "queued" });
      } finally {
        gate.open();
        await closing;
      }
    });

    it("runs nothing after it is closed", async () => {
      const { queue } = await harness().openNode();
      const [closed, open] = [logJobs(), logJobs()];
      const consumer = queue.consume("recordings", closed.handler, { concurrency: 8 });
      const before = await queue.enqueue("recordings", job("before"));
      await untilStatus(queue, before.jobId, "completed");
      await consumer.close(5_000);
      const after = await queue.enqueueMany(
        "recordings",
        Array.from({ length: 10 }, (_, index) => job(`after ${index}`)),
      );
      expect(await queue.counts("recordings")).toMatchObject({ queued: 10, processing: 0 });
      queue.consume("recordings", open.handler, { concurrency: 1 });
      for (const { jobId } of after) await untilStatus(queue, jobId, "completed");
      expect(closed.names()).toEqual(["before"]);
      expect(open.seen).toHaveLength(10);
    });

    it("refuses new jobs and consumers once the queue is closed", async () => {
      const { queue } = await harness().openNode();
      await queue.close(1_000);
      await expect(queue.enqueue("recordings", job("late"))).rejects.toMatchObject({ code: "QUEUE_CLOSED" });
      await expect(queue.enqueueMany("recordings", [job("late")])).rejects.toMatchObject({ code: "QUEUE_CLOSED" });
      expect(() => queue.consume("recordings", logJobs().handler, { concurrency: 1 })).toThrowError(expect.objectContaining({ code: "QUEUE_CLOSED" }));
      expect(await queue.counts("recordings")).toMatchObject({ queued: 0 });
    });

    it("closes every consumer with the queue", async () => {
      const { queue } = await harness().openNode();
      const [recordings, models] = [createGate(), createGate()];
      const [first, second] = [logJobs(() => recordings.opened), logJobs(() => models.opened)];
      queue.consume("recordings", first.handler, { concurrency: 1 });
      queue.consume("models", second.handler, { concurrency: 1 });
      const jobs = [await queue.enqueue("recordings", job("a")), await queue.enqueue("models", job("b"))];
      await until("both run", () => first.seen.length === 1 && second.seen.length === 1);
      const closing = queue.close(30_000);
      recordings.open();
      models.open();
      await closing;
      for (const { jobId } of jobs) expect(await queue.find(jobId)).toMatchObject({ status: "completed" });
    });

    it("leaves no timer behind when it is closed", async () => {
      const clock = new FreezableClock();
      const { queue } = await harness().openNode({ clock, pollIntervalMs: 60_000, leaseMs: 60_000 });
      queue.consume("recordings", logJobs().handler, { concurrency: 2 });
      const { jobId } = await queue.enqueue("recordings", job("one"));
      await queue.enqueue("recordings", job("much later", { delayMs: 3_600_000 }));
      await untilStatus(queue, jobId, "completed");
      await queue.close(1_000);
      expect(clock.pendingTimers).toBe(0);
    });
  });
}
