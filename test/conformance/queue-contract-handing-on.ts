/** Queue contract: a job whose next part is for the consumers of another queue. */
import { describe, expect, it } from "vitest";
import { HandOnError, type JobContext } from "../../src/queue/queue-backend.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { createGate, until } from "../support/until.js";

async function handOn(): Promise<void> {
  throw new HandOnError("recordings-cuda");
}

export function describeQueueHandingOn(harness: HarnessOfTest): void {
  describe("handing on", () => {
    it("takes a job to the consumer of another queue and back, in its one attempt", async () => {
      const { queue } = await harness().openNode();
      const first = logJobs(async (context) => {
        if (context.job.progress < 60) await handOn();
      });
      const other = logJobs(async (context) => {
        context.reportProgress(60, "transcript");
        throw new HandOnError("recordings");
      });
      queue.consume("recordings", first.handler, { concurrency: 1 });
      queue.consume("recordings-cuda", other.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts", { maxAttempts: 1, priority: 7, payload: { recordingId: "r1" } }));
      expect(await untilStatus(queue, jobId, "completed")).toMatchObject({ queue: "recordings", attempt: 1, errorCode: null });
      expect(first.seen.map(({ attempt, progress }) => [attempt, progress])).toEqual([
        [1, 0],
        [1, 60],
      ]);
      expect(other.seen).toMatchObject([{ jobId, attempt: 1, queue: "recordings-cuda", priority: 7, payload: { recordingId: "r1" } }]);
    });

    it("takes it to a consumer of another process", async () => {
      const { queue, die } = await harness().openNode();
      queue.consume("recordings", logJobs(handOn).handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts"));
      await until("it waits for another", async () => (await queue.find(jobId))?.queue === "recordings-cuda");
      await die();
      const other = await harness().openNode();
      other.queue.consume("recordings-cuda", logJobs().handler, { concurrency: 1 });
      expect(await untilStatus(other.queue, jobId, "completed")).toMatchObject({ attempt: 1 });
    });

    it("counts it where it waits, and lists it there", async () => {
      const { queue } = await harness().openNode();
      queue.consume("recordings", logJobs(handOn).handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts"));
      await until("it waits for another", async () => (await queue.counts("recordings-cuda")).queued === 1);
      expect(await queue.counts("recordings")).toMatchObject({ queued: 0, processing: 0 });
      expect(await queue.list({ queue: "recordings-cuda", statuses: ["queued"], limit: 5 })).toMatchObject([{ jobId, attempt: 0 }]);
    });

    it("keeps its idempotency key where it was enqueued", async () => {
      const { queue } = await harness().openNode();
      queue.consume("recordings", logJobs(handOn).handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts", { idempotencyKey: "once" }));
      await until("it waits for another", async () => (await queue.find(jobId))?.queue === "recordings-cuda");
      expect(await queue.enqueue("recordings", job("again", { idempotencyKey: "once" }))).toEqual({ jobId, isDuplicate: true });
      expect(await queue.findByKey("recordings", "once")).toMatchObject({ jobId });
      expect(await queue.findByKey("recordings-cuda", "once")).toBeUndefined();
      expect(await queue.enqueue("recordings-cuda", job("other", { idempotencyKey: "once" }))).toMatchObject({ isDuplicate: false });
    });

    it("cancels it while it waits for another, and does not run it", async () => {
      const { queue } = await harness().openNode();
      queue.consume("recordings", logJobs(handOn).handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts"));
      await until("it waits for another", async () => (await queue.find(jobId))?.queue === "recordings-cuda");
      expect(await queue.cancel(jobId)).toBe("cancelled");
      const other = logJobs();
      queue.consume("recordings-cuda", other.handler, { concurrency: 1 });
      const after = await queue.enqueue("recordings-cuda", job("after it"));
      await untilStatus(queue, after.jobId, "completed");
      expect(other.names()).toEqual(["after it"]);
    });

    it("cancels it when that is asked for while it is about to be handed on", async () => {
      const { queue } = await harness().openNode();
      const gate = createGate();
      const first = logJobs(async (_context: JobContext) => {
        await gate.opened;
        await handOn();
      });
      queue.consume("recordings", first.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("two parts"));
      await until("it runs", () => first.seen.length === 1);
      expect(await queue.cancel(jobId)).toBe("cancelling");
      gate.open();
      expect(await untilStatus(queue, jobId, "cancelled")).toMatchObject({ errorCode: "QUEUE_JOB_CANCELLED" });
    });
  });
}
