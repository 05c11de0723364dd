/** Queue contract: which job runs when, and how often. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { FakeClock } from "../support/fake-clock.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { createGate, until } from "../support/until.js";

export function describeQueueDelivery(harness: HarnessOfTest): void {
  describe("delivery", () => {
    it("hands a job to the handler and keeps it as completed", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", { jobName: "process", payload: { recordingId: "r1" } });
      const record = await untilStatus(queue, jobId, "completed");
      expect(log.seen).toHaveLength(1);
      expect(log.seen[0]).toMatchObject({ jobId, jobName: "process", payload: { recordingId: "r1" }, status: "processing", attempt: 1 });
      expect(record).toMatchObject({ attempt: 1, errorCode: null });
      expect(record.finishedAtMs).toBeGreaterThanOrEqual(record.createdAtMs);
    });

    it("hands over a job that was there before its consumer, and none of another queue", async () => {
      const { queue } = await harness().openNode();
      const other = await queue.enqueue("maintenance", job("other queue"));
      const { jobId } = await queue.enqueue("recordings", job("early"));
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 4 });
      await untilStatus(queue, jobId, "completed");
      expect(log.names()).toEqual(["early"]);
      expect(await queue.find(other.jobId)).toMatchObject({ status: "queued", attempt: 0 });
    });

    it("finds a job that another process enqueued", async () => {
      const { queue } = await harness().openNode();
      const commandLine = await harness().openNode();
      queue.consume("recordings", logJobs().handler, { concurrency: 1 });
      const { jobId } = await commandLine.queue.enqueue("recordings", job("from outside"));
      expect(await untilStatus(queue, jobId, "completed")).toMatchObject({ attempt: 1 });
    });

    it("runs higher priorities first", async () => {
      const { queue } = await harness().openNode();
      const priorities = [0, 10, -100, 100, -10, 50];
      const enqueued = await queue.enqueueMany(
        "recordings",
        priorities.map((priority) => job(String(priority), { priority })),
      );
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      for (const { jobId } of enqueued) await untilStatus(queue, jobId, "completed");
      expect(log.names()).toEqual(["100", "50", "10", "0", "-10", "-100"]);
    });

    it("runs jobs of equal priority in the order they were enqueued", async () => {
      const { queue } = await harness().openNode();
      const names = Array.from({ length: 20 }, (_, index) => `job ${index}`);
      for (const name of names.slice(0, 10)) await queue.enqueue("recordings", job(name));
      await queue.enqueueMany(
        "recordings",
        names.slice(10).map((name) => job(name)),
      );
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      await until("all have run", () => log.seen.length === names.length);
      expect(log.names()).toEqual(names);
    });

    it("runs jobs of equal priority in the order they were enqueued although their ids were made in another", async () => {
      const { queue } = await harness().openNode();
      const ids = Array.from({ length: 8 }, () => newId()).reverse();
      await queue.enqueueMany(
        "recordings",
        ids.map((jobId) => job("own id", { jobId })),
      );
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      await until("all have run", () => log.seen.length === ids.length);
      expect(log.seen.map(({ jobId }) => jobId)).toEqual(ids);
    });

    it("does not run a delayed job before its time, and runs it then", async () => {
      const clock = new FakeClock();
      const { queue } = await harness().openNode({ clock, pollIntervalMs: 100, leaseMs: 600_000 });
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const delayed = await queue.enqueue("recordings", job("delayed", { delayMs: 5_000, priority: 100 }));
      clock.advance(4_990);
      const prompt = await queue.enqueue("recordings", job("prompt"));
      await untilStatus(queue, prompt.jobId, "completed");
      expect(log.names()).toEqual(["prompt"]);
      expect(await queue.counts("recordings")).toMatchObject({ delayed: 1, queued: 0, completed: 1 });
      await until("the delayed job has run", async () => {
        clock.advance(1);
        return (await queue.find(delayed.jobId))?.status === "completed";
      });
      expect(log.names()).toEqual(["prompt", "delayed"]);
    });

    it("keeps to its concurrency and uses all of it", async () => {
      const { queue } = await harness().openNode();
      const gate = createGate();
      let running = 0;
      let most = 0;
      const log = logJobs(async () => {
        running++;
        most = Math.max(most, running);
        await gate.opened;
        running--;
      });
      const enqueued = await queue.enqueueMany(
        "recordings",
        Array.from({ length: 12 }, (_, index) => job(`job ${index}`)),
      );
      queue.consume("recordings", log.handler, { concurrency: 3 });
      await until("three jobs run", () => running === 3);
      expect(await queue.counts("recordings")).toMatchObject({ processing: 3, queued: 9 });
      gate.open();
      for (const { jobId } of enqueued) await untilStatus(queue, jobId, "completed");
      expect(most).toBe(3);
    });

    it("runs each of two thousand jobs exactly once at concurrency 50", async () => {
      const { queue } = await harness().openNode({ leaseMs: 60_000 });
      const runs = new Map<string, number>();
      queue.consume("models", async ({ job: { jobId } }) => void runs.set(jobId, (runs.get(jobId) ?? 0) + 1), { concurrency: 50 });
      const count = 2_000;
      const enqueued = (
        await Promise.all(
          Array.from({ length: 20 }, (_, batch) =>
            queue.enqueueMany(
              "models",
              Array.from({ length: count / 20 }, (_unused, index) => job(`job ${batch}/${index}`)),
            ),
          ),
        )
      ).flat();
      await until("all are completed", async () => (await queue.counts("models")).completed === count, 40_000);
      expect(runs.size).toBe(count);
      expect(enqueued.every(({ jobId }) => runs.get(jobId) === 1)).toBe(true);
      expect(await queue.counts("models")).toMatchObject({ queued: 0, delayed: 0, processing: 0, failed: 0, cancelled: 0 });
    });

    it("shows progress, clamped to 0..100, that never falls", async () => {
      const { queue } = await harness().openNode();
      const gates = [createGate(), createGate(), createGate()];
      const log = logJobs(async ({ reportProgress }) => {
        reportProgress(40, "decode");
        await gates[0]?.opened;
        reportProgress(15, "decode");
        reportProgress(60, "transcript");
        await gates[1]?.opened;
        reportProgress(-5, "transcript");
        reportProgress(1_000, "quality");
        await gates[2]?.opened;
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("long"));
      const observed: number[] = [];
      const untilProgress = (progress: number): Promise<void> =>
        until(`progress is ${progress}`, async () => {
          const record = await queue.find(jobId);
          observed.push(record?.progress ?? 0);
          return record?.progress === progress;
        });
      await untilProgress(40);
      expect(await queue.find(jobId)).toMatchObject({ step: "decode" });
      gates[0]?.open();
      await untilProgress(60);
      expect(await queue.find(jobId)).toMatchObject({ step: "transcript" });
      gates[1]?.open();
      await untilProgress(100);
      gates[2]?.open();
      await untilStatus(queue, jobId, "completed");
      expect(observed).toEqual([...observed].sort((a, b) => a - b));
    });

    it("lets no later attempt take progress back", async () => {
      const { queue } = await harness().openNode();
      const gate = createGate();
      const log = logJobs(async ({ job: { attempt }, reportProgress }) => {
        reportProgress(attempt === 1 ? 70 : 5, attempt === 1 ? "far" : "again");
        if (attempt === 1) throw new Error("the first attempt fails");
        await gate.opened;
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("twice"));
      await until("the second attempt has reported", async () => log.seen.length === 2 && (await queue.find(jobId))?.step === "again");
      expect(await queue.find(jobId)).toMatchObject({ progress: 70 });
      gate.open();
      await untilStatus(queue, jobId, "completed");
    });
  });
}
