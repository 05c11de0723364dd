/** Queue contract: cancelling a job, whatever it is doing. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { PermanentJobError } from "../../src/queue/queue-backend.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { createGate, until, untilAborted } from "../support/until.js";

export function describeQueueCancelling(harness: HarnessOfTest): void {
  describe("cancelling", () => {
    it("cancels a waiting job at once, and never runs it", async () => {
      const { queue } = await harness().openNode();
      const { jobId } = await queue.enqueue("recordings", job("cancelled", { priority: 100 }));
      const delayed = await queue.enqueue("recordings", job("delayed", { delayMs: 1 }));
      expect(await queue.cancel(jobId)).toBe("cancelled");
      expect(await queue.cancel(delayed.jobId)).toBe("cancelled");
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const next = await queue.enqueue("recordings", job("next", { delayMs: 5 }));
      await untilStatus(queue, next.jobId, "completed");
      expect(log.names()).toEqual(["next"]);
      const record = await queue.find(jobId);
      expect(record).toMatchObject({ status: "cancelled", attempt: 0 });
      expect(record?.finishedAtMs).not.toBeNull();
    });

    it("tells a running job to stop through its signal, and keeps it as cancelled", async () => {
      const { queue } = await harness().openNode();
      let reason: unknown;
      const log = logJobs(({ signal }) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
        });
        return untilAborted(signal);
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("long"));
      await until("it runs", () => log.seen.length === 1);
      expect(await queue.cancel(jobId)).toBe("cancelling");
      expect(await untilStatus(queue, jobId, "cancelled")).toMatchObject({ errorCode: "QUEUE_JOB_CANCELLED" });
      expect(reason).toMatchObject({ code: "QUEUE_JOB_CANCELLED" });
      expect(log.seen).toHaveLength(1);
    });

    it("does not try a cancelled job again when its handler fails in some other way", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs(async ({ signal }) => {
        await untilAborted(signal).catch(() => {
          throw new TypeError("clean-up failed");
        });
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("long", { maxAttempts: 5 }));
      await until("it runs", () => log.seen.length === 1);
      await queue.cancel(jobId);
      await untilStatus(queue, jobId, "cancelled");
      const next = await queue.enqueue("recordings", job("next", { priority: -100 }));
      await until("the next runs", () => log.seen.length === 2);
      expect(log.names()).toEqual(["long", "next"]);
      expect(await queue.cancel(next.jobId)).toBe("cancelling");
      await untilStatus(queue, next.jobId, "cancelled");
    });

    it("says that it is too late for a job that has ended", async () => {
      const { queue } = await harness().openNode();
      const done = await queue.enqueue("recordings", job("done"));
      const dead = await queue.enqueue("recordings", job("dead"));
      const cancelled = await queue.enqueue("models", job("cancelled"));
      queue.consume(
        "recordings",
        async ({ job: { jobName } }) => {
          if (jobName === "dead") throw new PermanentJobError("AUDIO_CORRUPT");
        },
        { concurrency: 1 },
      );
      await untilStatus(queue, done.jobId, "completed");
      await untilStatus(queue, dead.jobId, "failed");
      await queue.cancel(cancelled.jobId);
      for (const { jobId } of [done, dead, cancelled]) expect(await queue.cancel(jobId)).toBe("finished");
      expect(await queue.find(done.jobId)).toMatchObject({ status: "completed" });
      expect(await queue.find(dead.jobId)).toMatchObject({ status: "failed", errorCode: "AUDIO_CORRUPT" });
    });

    it("says that a job it never had is unknown", async () => {
      const { queue } = await harness().openNode();
      expect(await queue.cancel(newId())).toBe("unknown");
    });

    it("stops a running job that another process cancels", async () => {
      const { queue } = await harness().openNode({ leaseMs: 600 });
      const commandLine = await harness().openNode();
      const log = logJobs(({ signal }) => untilAborted(signal));
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("long"));
      await until("it runs", () => log.seen.length === 1);
      expect(await commandLine.queue.cancel(jobId)).toBe("cancelling");
      expect(await untilStatus(commandLine.queue, jobId, "cancelled")).toMatchObject({ errorCode: "QUEUE_JOB_CANCELLED" });
    });

    it("does not run a job again that another process cancelled just before it failed", async () => {
      const { queue } = await harness().openNode({ leaseMs: 60_000 });
      const commandLine = await harness().openNode();
      const gate = createGate();
      const log = logJobs(async ({ job: { jobName } }) => {
        if (jobName !== "failing") return;
        await gate.opened;
        throw new Error("the attempt fails for its own reasons");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("failing", { maxAttempts: 5 }));
      await until("it runs", () => log.seen.length === 1);
      expect(await commandLine.queue.cancel(jobId)).toBe("cancelling");
      gate.open();
      await until("it has ended", async () => ["cancelled", "failed"].includes((await queue.find(jobId))?.status ?? ""));
      expect(log.names()).toEqual(["failing"]);
      expect(await queue.find(jobId)).toMatchObject({ status: "cancelled" });
    });
  });
}
