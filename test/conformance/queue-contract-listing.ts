/** Queue contract: finding a job by its key, lists in pages, and forgetting jobs. */
import { describe, expect, it } from "vitest";
import type { WorkStatus } from "../../src/core/call.js";
import { newId } from "../../src/core/ids.js";
import { type JobListFilter, PermanentJobError, type QueueBackend } from "../../src/queue/queue-backend.js";
import { inUnitOfWork } from "../../src/storage/unit-of-work.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest, QueueNode } from "../support/queue-harness.js";
import { until, untilAborted } from "../support/until.js";

const ALL: readonly WorkStatus[] = ["queued", "processing", "completed", "failed", "cancelled"];

/** One job of each kind, by the status it has. */
async function oneOfEach({ queue }: QueueNode): Promise<Readonly<Record<WorkStatus, string>>> {
  const enqueue = async (jobName: string): Promise<string> => (await queue.enqueue("recordings", job(jobName, { idempotencyKey: jobName }))).jobId;
  const cancelled = await enqueue("cancelled");
  await queue.cancel(cancelled);
  const [completed, failed, processing] = [await enqueue("completed"), await enqueue("failed"), await enqueue("processing")];
  const log = logJobs(async ({ job: { jobName }, signal }) => {
    if (jobName === "failed") throw new PermanentJobError("AUDIO_CORRUPT");
    if (jobName === "processing") await untilAborted(signal);
  });
  queue.consume("recordings", log.handler, { concurrency: 3 });
  await untilStatus(queue, completed, "completed");
  await untilStatus(queue, failed, "failed");
  await until("the long job runs", () => log.names().includes("processing"));
  const queued = (await queue.enqueue("recordings", job("queued", { idempotencyKey: "queued", delayMs: 3_600_000 }))).jobId;
  return { queued, processing, completed, failed, cancelled };
}

/** Every page, with something done between one and the next. */
async function walk(queue: QueueBackend, filter: JobListFilter, between: () => Promise<unknown> = async () => {}): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let page = await queue.list(filter); page.length > 0; page = await queue.list({ ...filter, beforeJobId: seen.at(-1) ?? "" })) {
    expect(page.length).toBeLessThanOrEqual(filter.limit);
    seen.push(...page.map(({ jobId }) => jobId));
    await between();
  }
  return seen;
}

export function describeQueueListing(harness: HarnessOfTest): void {
  describe("listing", () => {
    describeFinding(harness);
    describePages(harness);
    describeForgetting(harness);
  });
}

function describeFinding(harness: HarnessOfTest): void {
  it("lists jobs of one name, whatever queue they are in", async () => {
    const { queue } = await harness().openNode();
    const first = await queue.enqueue("recordings", job("process"));
    await queue.enqueue("recordings", job("other"));
    const second = await queue.enqueue("recordings-cuda", job("process"));
    const listed = await queue.list({ jobName: "process", statuses: ["queued"], limit: 9 });
    expect(listed.map(({ jobId }) => jobId)).toEqual([second.jobId, first.jobId]);
  });

  it("finds a job by its idempotency key, whatever has become of it", async () => {
    const node = await harness().openNode();
    const jobs = await oneOfEach(node);
    for (const status of ALL) {
      const found = await node.queue.findByKey("recordings", status);
      expect(found).toEqual(await node.queue.find(jobs[status]));
      expect(found).toMatchObject({ jobId: jobs[status], jobName: status, status });
    }
  });

  it("finds no job by a key of another queue, a part of a key, or none", async () => {
    const { queue } = await harness().openNode();
    const { jobId } = await queue.enqueue("models", job("there", { idempotencyKey: "upload-1" }));
    await queue.enqueue("recordings", job("without a key"));
    for (const key of ["upload-1", "upload", "", "%"]) expect(await queue.findByKey("recordings", key), key).toBeUndefined();
    for (const key of ["upload", "UPLOAD-1", "upload-1 ", "upload_1", "%"]) expect(await queue.findByKey("models", key), key).toBeUndefined();
    expect((await queue.findByKey("models", "upload-1"))?.jobId).toBe(jobId);
  });

  it("finds by its key a job that another process enqueued, and none of a unit of work that was rolled back", async () => {
    const [one, other] = [await harness().openNode(), await harness().openNode()];
    const { jobId } = await one.queue.enqueue("recordings", job("there", { idempotencyKey: "key" }));
    expect((await other.queue.findByKey("recordings", "key"))?.jobId).toBe(jobId);
    const failing = inUnitOfWork(one.database, async (unitOfWork) => {
      await one.queue.enqueue("recordings", job("never", { idempotencyKey: "rolled back" }), { unitOfWork });
      throw new RangeError("the call could not be stored");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await one.queue.findByKey("recordings", "rolled back")).toBeUndefined();
  });
}

function describePages(harness: HarnessOfTest): void {
  it.each([1, 3, 4, 12, 13])("gives twelve jobs in pages of %i without a gap or a repetition", async (limit) => {
    const { queue } = await harness().openNode();
    const ids: string[] = [];
    for (let index = 0; index < 12; index++) ids.unshift((await queue.enqueue("recordings", job(`job ${index}`))).jobId);
    expect(await walk(queue, { queue: "recordings", statuses: ["queued"], limit })).toEqual(ids);
  });

  it("does the same for jobs that were enqueued together", async () => {
    const { queue } = await harness().openNode();
    const enqueued = await queue.enqueueMany(
      "recordings",
      Array.from({ length: 10 }, (_, index) => job(`job ${index}`)),
    );
    expect(await walk(queue, { statuses: ["queued"], limit: 3 })).toEqual(enqueued.map(({ jobId }) => jobId).reverse());
  });

  it("has no gap and no repetition while jobs are enqueued between the pages", async () => {
    const { queue } = await harness().openNode();
    const ids: string[] = [];
    for (let index = 0; index < 9; index++) ids.unshift((await queue.enqueue("recordings", job(`job ${index}`))).jobId);
    const seen = await walk(queue, { queue: "recordings", statuses: ["queued"], limit: 2 }, () => queue.enqueue("recordings", job("later")));
    expect(seen).toEqual(ids);
  });

  it("keeps to the queue and the statuses asked for on every page", async () => {
    const { queue } = await harness().openNode();
    const wanted: string[] = [];
    for (let index = 0; index < 8; index++) {
      const { jobId } = await queue.enqueue("recordings", job(`job ${index}`));
      await queue.enqueue("models", job(`elsewhere ${index}`));
      if (index % 2 === 0) wanted.unshift(jobId);
      else await queue.cancel(jobId);
    }
    expect(await walk(queue, { queue: "recordings", statuses: ["queued"], limit: 1 })).toEqual(wanted);
    expect(await walk(queue, { queue: "recordings", statuses: ALL, limit: 3 })).toHaveLength(8);
    expect(await walk(queue, { statuses: ALL, limit: 3 })).toHaveLength(16);
  });

  it("goes on behind a job that has been forgotten since", async () => {
    const { queue, database } = await harness().openNode();
    const ids: string[] = [];
    for (let index = 0; index < 6; index++) ids.unshift((await queue.enqueue("recordings", job(`job ${index}`))).jobId);
    const last = ids[2] ?? "";
    await queue.cancel(last);
    await inUnitOfWork(database, (unitOfWork) => queue.forget([last], { unitOfWork }));
    const rest = await queue.list({ queue: "recordings", statuses: ALL, limit: 10, beforeJobId: last });
    expect(rest.map(({ jobId }) => jobId)).toEqual(ids.slice(3));
  });
}

function describeForgetting(harness: HarnessOfTest): void {
  it("forgets jobs that have ended, and neither queued nor running ones", async () => {
    const node = await harness().openNode();
    const { queue, database } = node;
    const jobs = await oneOfEach(node);
    await inUnitOfWork(database, (unitOfWork) => queue.forget([...Object.values(jobs), newId()], { unitOfWork }));
    for (const status of ["completed", "failed", "cancelled"] as const) {
      expect(await queue.find(jobs[status]), status).toBeUndefined();
      expect(await queue.findByKey("recordings", status), status).toBeUndefined();
    }
    for (const status of ["queued", "processing"] as const) expect(await queue.find(jobs[status])).toMatchObject({ status });
    expect(await queue.counts("recordings")).toEqual({ queued: 0, delayed: 1, processing: 1, completed: 0, failed: 0, cancelled: 0 });
    expect(await queue.cancel(jobs.processing)).toBe("cancelling");
    await untilStatus(queue, jobs.processing, "cancelled");
  });

  it("forgets only once the unit of work has committed", async () => {
    const [writer, reader] = [await harness().openNode(), await harness().openNode()];
    const { jobId } = await writer.queue.enqueue("recordings", job("ended"));
    await writer.queue.cancel(jobId);
    const before = await inUnitOfWork(writer.database, async (unitOfWork) => {
      await writer.queue.forget([jobId], { unitOfWork });
      return reader.queue.find(jobId);
    });
    expect(before).toMatchObject({ status: "cancelled" });
    expect(await reader.queue.find(jobId)).toBeUndefined();
  });

  it("forgets nothing when the unit of work is rolled back", async () => {
    const { queue, database } = await harness().openNode();
    const { jobId } = await queue.enqueue("recordings", job("ended", { idempotencyKey: "kept" }));
    await queue.cancel(jobId);
    const failing = inUnitOfWork(database, async (unitOfWork) => {
      await queue.forget([jobId], { unitOfWork });
      throw new RangeError("the call could not be removed");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await queue.find(jobId)).toMatchObject({ status: "cancelled" });
    expect((await queue.findByKey("recordings", "kept"))?.jobId).toBe(jobId);
  });

  it("gives the key of a forgotten job to the next who wants it", async () => {
    const { queue, database } = await harness().openNode();
    const first = await queue.enqueue("recordings", job("first", { idempotencyKey: "free again" }));
    await queue.cancel(first.jobId);
    await inUnitOfWork(database, (unitOfWork) => queue.forget([first.jobId], { unitOfWork }));
    const second = await queue.enqueue("recordings", job("second", { idempotencyKey: "free again" }));
    expect([second.isDuplicate, second.jobId === first.jobId]).toEqual([false, false]);
  });

  it("has nothing to do for no jobs, unknown jobs, and jobs forgotten before", async () => {
    const { queue, database } = await harness().openNode();
    const { jobId } = await queue.enqueue("recordings", job("ended"));
    await queue.cancel(jobId);
    for (const ids of [[], [newId()], [jobId], [jobId, jobId]]) await inUnitOfWork(database, (unitOfWork) => queue.forget(ids, { unitOfWork }));
    expect(await queue.find(jobId)).toBeUndefined();
  });

  it("forgets a thousand jobs at once", async () => {
    const { queue, database } = await harness().openNode();
    const enqueued = await queue.enqueueMany(
      "recordings",
      Array.from({ length: 1_000 }, (_, index) => job(`job ${index}`)),
    );
    queue.consume("recordings", logJobs().handler, { concurrency: 64 });
    await until("all are done", async () => (await queue.counts("recordings")).completed === 1_000);
    await inUnitOfWork(database, (unitOfWork) =>
      queue.forget(
        enqueued.map(({ jobId }) => jobId),
        { unitOfWork },
      ),
    );
    expect((await queue.counts("recordings")).completed).toBe(0);
  });
}
