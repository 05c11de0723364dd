/** Queue contract: enqueueing, idempotency, units of work, counts and lists. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { type EnqueuedJob, PermanentJobError } from "../../src/queue/queue-backend.js";
import { inUnitOfWork } from "../../src/storage/unit-of-work.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { until, untilAborted } from "../support/until.js";

const EMPTY = { queued: 0, delayed: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 };

export function describeQueueEnqueueing(harness: HarnessOfTest): void {
  describe("enqueueing", () => {
    it("finds an enqueued job as it was given, waiting with no call spent", async () => {
      const { queue } = await harness().openNode();
      const jobId = newId();
      const payload = { text: "recording", count: 3, isLate: true, nothing: null, list: ["a", "b"] };
      const enqueued = await queue.enqueue("recordings", { jobId, jobName: "process", payload, priority: 7, maxAttempts: 4 });
      expect(enqueued).toEqual({ jobId, isDuplicate: false });
      expect(await queue.find(jobId)).toMatchObject({
        ...{ jobId, queue: "recordings", jobName: "process", payload, status: "queued", priority: 7 },
        ...{ attempt: 0, maxAttempts: 4, progress: 0, errorCode: null, finishedAtMs: null },
      });
      expect(await queue.find(newId())).toBeUndefined();
    });

    it("gives a job priority 0 and three attempts when nothing else is said", async () => {
      const { queue } = await harness().openNode();
      const { jobId } = await queue.enqueue("models", job("plain"));
      expect(await queue.find(jobId)).toMatchObject({ priority: 0, maxAttempts: 3 });
    });

    it("does not make a second job of a queue with the same idempotency key", async () => {
      const { queue } = await harness().openNode();
      const first = await queue.enqueue("recordings", job("first", { idempotencyKey: "upload-1" }));
      const second = await queue.enqueue("recordings", job("second", { idempotencyKey: "upload-1" }));
      const elsewhere = await queue.enqueue("models", job("elsewhere", { idempotencyKey: "upload-1" }));
      expect(second).toEqual({ jobId: first.jobId, isDuplicate: true });
      expect(elsewhere.isDuplicate).toBe(false);
      expect(elsewhere.jobId).not.toBe(first.jobId);
      expect(await queue.find(first.jobId)).toMatchObject({ jobName: "first" });
      expect(await queue.counts("recordings")).toEqual({ ...EMPTY, queued: 1 });
    });

    it("remembers an idempotency key after its job has finished", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const first = await queue.enqueue("recordings", job("once", { idempotencyKey: "upload-2" }));
      await untilStatus(queue, first.jobId, "completed");
      expect(await queue.enqueue("recordings", job("once", { idempotencyKey: "upload-2" }))).toEqual({ jobId: first.jobId, isDuplicate: true });
      expect(log.seen).toHaveLength(1);
    });

    it("answers for each of many jobs in their order, duplicates among them", async () => {
      const { queue } = await harness().openNode();
      const [a, b] = [newId(), newId()];
      const answers = await queue.enqueueMany("recordings", [
        job("a", { jobId: a, idempotencyKey: "same" }),
        job("b", { jobId: b }),
        job("c", { jobId: newId(), idempotencyKey: "same" }),
      ]);
      const expected: EnqueuedJob[] = [
        { jobId: a, isDuplicate: false },
        { jobId: b, isDuplicate: false },
        { jobId: a, isDuplicate: true },
      ];
      expect(answers).toEqual(expected);
      expect(await queue.counts("recordings")).toEqual({ ...EMPTY, queued: 2 });
      expect(await queue.enqueueMany("recordings", [])).toEqual([]);
    });

    it("stores none of many jobs when one of them can't be stored", async () => {
      const { queue } = await harness().openNode();
      const taken = await queue.enqueue("recordings", job("there already"));
      const [before, after] = [newId(), newId()];
      const many = [job("before", { jobId: before }), job("clash", { jobId: taken.jobId }), job("after", { jobId: after })];
      await expect(queue.enqueueMany("recordings", many)).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      expect(await queue.find(before)).toBeUndefined();
      expect(await queue.find(after)).toBeUndefined();
      expect(await queue.counts("recordings")).toEqual({ ...EMPTY, queued: 1 });
    });

    it("shows a job enqueued in a unit of work only once that has committed, and runs it then", async () => {
      const writer = await harness().openNode({ pollIntervalMs: 60_000 });
      const reader = await harness().openNode();
      const log = logJobs();
      writer.queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId, before } = await inUnitOfWork(writer.database, async (unitOfWork) => {
        const enqueued = await writer.queue.enqueue("recordings", job("in unit"), { unitOfWork });
        return { jobId: enqueued.jobId, before: await reader.queue.find(enqueued.jobId) };
      });
      expect(before).toBeUndefined();
      await untilStatus(reader.queue, jobId, "completed");
      expect(log.names()).toEqual(["in unit"]);
    });

    it("keeps nothing of a job enqueued in a unit of work that was rolled back", async () => {
      const { queue, database } = await harness().openNode();
      const log = logJobs();
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const jobId = newId();
      const failing = inUnitOfWork(database, async (unitOfWork) => {
        await queue.enqueue("recordings", job("rolled back", { jobId, idempotencyKey: "again" }), { unitOfWork });
        throw new RangeError("the call could not be stored");
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect(await queue.find(jobId)).toBeUndefined();
      const next = await queue.enqueue("recordings", job("second try", { idempotencyKey: "again" }));
      expect(next.isDuplicate).toBe(false);
      await untilStatus(queue, next.jobId, "completed");
      expect(log.names()).toEqual(["second try"]);
    });

    it("answers a duplicate within a unit of work with the first job's id", async () => {
      const { queue, database } = await harness().openNode();
      const first = await queue.enqueue("recordings", job("first", { idempotencyKey: "key" }));
      const second = await inUnitOfWork(database, (unitOfWork) => queue.enqueue("recordings", job("second", { idempotencyKey: "key" }), { unitOfWork }));
      expect(second).toEqual({ jobId: first.jobId, isDuplicate: true });
    });

    it("counts jobs by what they are doing and lists them newest first", async () => {
      const { queue } = await harness().openNode();
      const log = logJobs(async ({ job: { jobName }, signal }) => {
        if (jobName === "dead") throw new PermanentJobError("AUDIO_CORRUPT");
        if (jobName === "running") await untilAborted(signal);
      });
      const cancelled = await queue.enqueue("recordings", job("cancelled"));
      await queue.cancel(cancelled.jobId);
      const running = await queue.enqueue("recordings", job("running"));
      const done = await queue.enqueue("recordings", job("done"));
      const dead = await queue.enqueue("recordings", job("dead"));
      const consumer = queue.consume("recordings", log.handler, { concurrency: 3 });
      await untilStatus(queue, done.jobId, "completed");
      await untilStatus(queue, dead.jobId, "failed");
      await until("the long job runs", () => log.names().includes("running"));
      const delayed = await queue.enqueue("recordings", job("delayed", { delayMs: 3_600_000 }));
      await queue.enqueue("models", job("elsewhere"));
      expect(await queue.counts("recordings")).toEqual({ queued: 0, delayed: 1, processing: 1, completed: 1, failed: 1, cancelled: 1 });
      expect(await queue.counts("models")).toEqual({ ...EMPTY, queued: 1 });
      expect(await queue.counts("maintenance")).toEqual(EMPTY);
      const all = await queue.list({ queue: "recordings", statuses: ["queued", "processing", "completed", "failed", "cancelled"], limit: 10 });
      expect(all.map(({ jobId }) => jobId)).toEqual([delayed, dead, done, running, cancelled].map(({ jobId }) => jobId));
      expect((await queue.list({ statuses: ["queued"], limit: 10 })).map(({ jobName }) => jobName)).toEqual(["elsewhere", "delayed"]);
      expect((await queue.list({ queue: "recordings", statuses: ["failed", "completed"], limit: 1 })).map(({ jobName }) => jobName)).toEqual(["dead"]);
      await queue.cancel(running.jobId);
      await consumer.close(5_000);
    });
  });
}
