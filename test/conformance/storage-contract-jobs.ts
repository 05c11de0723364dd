/** The job table, as a queue's backend uses it; the embedded queue's own contract goes further. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import type { Claim, JobRow } from "../../src/storage/repositories/job-repository.js";
import { jobRow, START_MS } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

const claim = (more: Partial<Claim> = {}): Claim => ({ queue: "recordings", limit: 9, nowMs: START_MS, leaseUntilMs: START_MS + 5_000, ...more });
const idsOf = (rows: readonly JobRow[]): readonly string[] => rows.map((row) => row.job_id);

export function describeJobStorage({ openParts }: StorageOfTest): void {
  describe("the job repository", () => {
    it("gives a job back as it was stored, and one with a key that is taken is the earlier one", async () => {
      const { jobs, work } = await openParts();
      const [row, again, other] = [jobRow({ idempotency_key: "k" }), jobRow({ idempotency_key: "k" }), jobRow({ idempotency_key: "K" })];
      expect(await jobs.insert([row, again, other])).toEqual([
        { jobId: row.job_id, isDuplicate: false },
        { jobId: row.job_id, isDuplicate: true },
        { jobId: other.job_id, isDuplicate: false },
      ]);
      expect(await jobs.find(row.job_id)).toMatchObject(row);
      expect(await jobs.findByKey("recordings", "k")).toMatchObject(row);
      expect(await jobs.findByKey("models", "k")).toBeUndefined();
      expect(await work((unitOfWork) => jobs.insert([again], unitOfWork))).toEqual([{ jobId: row.job_id, isDuplicate: true }]);
      expect(await jobs.insert([jobRow({ queue: "models", idempotency_key: "k" })])).toMatchObject([{ isDuplicate: false }]);
    });

    it("refuses a second job with the same id, with a key and without one", async () => {
      const { jobs } = await openParts();
      const row = jobRow();
      await jobs.insert([row]);
      await expect(jobs.insert([row])).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      await expect(jobs.insert([{ ...row, idempotency_key: "k" }])).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
    });

    it("claims by priority, then by when they are due, then in the order they came, whatever their ids", async () => {
      const { jobs } = await openParts();
      const rows = [jobRow({ job_id: "c" }), jobRow({ job_id: "b" }), jobRow({ job_id: "a" })];
      const urgent = jobRow({ job_id: "z", priority: 5 });
      const earlier = jobRow({ job_id: "y", run_at_ms: START_MS - 1 });
      await jobs.insert([...rows, urgent, earlier, jobRow({ run_at_ms: START_MS + 1 }), jobRow({ queue: "models" })]);
      expect(idsOf(await jobs.exchange([], claim({ limit: 3 })))).toEqual(["z", "y", "c"]);
      const next = await jobs.exchange([], claim());
      expect(idsOf(next)).toEqual(["b", "a"]);
      expect(next[0]).toMatchObject({ status: "processing", attempt: 1, delivery: 1, lease_until_ms: START_MS + 5_000 });
      expect(await jobs.find("b")).toMatchObject({ status: "processing", attempt: 1, delivery: 1, lease_until_ms: START_MS + 5_000 });
      expect(await jobs.nextRunAtMs("recordings")).toBe(START_MS + 1);
      expect(await jobs.nextRunAtMs("maintenance")).toBeNull();
    });

    it("settles a delivery, and none that is over", async () => {
      const { jobs } = await openParts();
      const row = jobRow();
      await jobs.insert([row]);
      await jobs.exchange([], claim());
      const of = { jobId: row.job_id, delivery: 1 };
      await jobs.exchange([{ ...of, kind: "progress", progress: 40, step: "decode" }], undefined);
      await jobs.exchange([{ ...of, kind: "progress", progress: 30, step: "transcript" }], undefined);
      expect(await jobs.find(row.job_id)).toMatchObject({ progress: 40, step: "transcript" });
      const back = { ...of, kind: "requeued", atMs: START_MS, runAtMs: START_MS + 7, spendsAttempt: false, errorCode: "MODEL_OVERLOADED" } as const;
      expect(idsOf(await jobs.exchange([back], claim({ nowMs: START_MS + 7 })))).toEqual([row.job_id]);
      expect(await jobs.find(row.job_id)).toMatchObject({ attempt: 1, delivery: 2, error_code: "MODEL_OVERLOADED", finished_at_ms: null });
      const done = { ...of, kind: "finished", status: "completed", errorCode: null, atMs: START_MS + 9 } as const;
      await jobs.exchange([done], undefined);
      expect((await jobs.find(row.job_id))?.status).toBe("processing");
      await jobs.exchange([{ ...done, delivery: 2 }], undefined);
      expect(await jobs.find(row.job_id)).toMatchObject({ status: "completed", progress: 100, finished_at_ms: START_MS + 9, lease_until_ms: null });
    });

    it("cancels a job that waits, marks one that runs, and does not put that one back", async () => {
      const { jobs } = await openParts();
      const [runs, waits] = [jobRow(), jobRow()];
      await jobs.insert([runs]);
      await jobs.exchange([], claim());
      await jobs.insert([waits]);
      expect([await jobs.requestCancel(waits.job_id, 5), await jobs.requestCancel(runs.job_id, 5), await jobs.requestCancel(newId(), 5)]).toEqual([
        ...["queued", "processing"],
        undefined,
      ]);
      expect(await jobs.find(waits.job_id)).toMatchObject({ status: "cancelled", error_code: "QUEUE_JOB_CANCELLED", finished_at_ms: 5 });
      const of = { jobId: runs.job_id, delivery: 1 };
      const held = await jobs.renewLeases([of, { ...of, delivery: 9 }, { jobId: waits.job_id, delivery: 0 }], START_MS + 60_000);
      expect([...held]).toEqual([[runs.job_id, true]]);
      expect((await jobs.renewLeases([], 1)).size).toBe(0);
      await jobs.exchange([{ ...of, kind: "requeued", atMs: 8, runAtMs: 9, spendsAttempt: true, errorCode: "INTERNAL" }], undefined);
      expect(await jobs.find(runs.job_id)).toMatchObject({ status: "cancelled", error_code: "QUEUE_JOB_CANCELLED", finished_at_ms: 8 });
    });

    it("gives stalled jobs back, and ends those that stalled too often or were cancelled", async () => {
      const { jobs } = await openParts();
      const [stalled, often, cancelled, here] = [jobRow(), jobRow({ stall_count: 2 }), jobRow(), jobRow()];
      await jobs.insert([stalled, often, cancelled, here]);
      await jobs.exchange([], claim());
      await jobs.requestCancel(cancelled.job_id, 5);
      const options = { all: false, maxStalls: 2, runningHere: [here.job_id], maxRetryDelayMs: 1_000 };
      expect(await jobs.recoverStalled({ ...options, nowMs: START_MS + 5_000 })).toEqual({ requeued: 0, ended: [] });
      const { requeued, ended } = await jobs.recoverStalled({ ...options, nowMs: START_MS + 5_001 });
      expect(requeued).toBe(1);
      expect(ended.map((row) => [row.job_id, row.status, row.error_code, row.finished_at_ms])).toEqual([
        [cancelled.job_id, "cancelled", "QUEUE_JOB_CANCELLED", START_MS + 5_001],
        [often.job_id, "failed", "QUEUE_JOB_STALLED", START_MS + 5_001],
      ]);
      expect(await jobs.find(stalled.job_id)).toMatchObject({ status: "queued", attempt: 0, stall_count: 1, run_at_ms: 0, lease_until_ms: null });
      expect((await jobs.find(here.job_id))?.status).toBe("processing");
      expect(await jobs.recoverStalled({ ...options, runningHere: [], all: true, nowMs: 1 })).toMatchObject({ requeued: 1 });
    });

    it("counts, lists, retries and removes", async () => {
      const { jobs, work } = await openParts();
      const [failed, later, waits] = [jobRow({ job_id: "1", status: "failed" }), jobRow({ job_id: "2", run_at_ms: START_MS + 9 }), jobRow({ job_id: "3" })];
      await jobs.insert([failed, later, waits]);
      expect(Object.fromEntries(await jobs.countByStatus("recordings", START_MS))).toEqual({ failed: 1, queued: 1, delayed: 1 });
      expect(idsOf(await jobs.list({ statuses: ["queued", "failed"], limit: 2 }))).toEqual(["3", "2"]);
      expect(idsOf(await jobs.list({ queue: "recordings", statuses: ["queued", "failed"], beforeJobId: "2", limit: 2 }))).toEqual(["1"]);
      expect([await jobs.retryDead("1"), await jobs.retryDead("1"), await jobs.removeDead("2")]).toEqual([true, false, false]);
      expect(await jobs.find("1")).toMatchObject({ status: "queued", run_at_ms: 0 });
      await jobs.requestCancel("3", 1);
      await work((unitOfWork) => jobs.removeEnded(["1", "2", "3"], unitOfWork));
      expect(idsOf(await jobs.list({ statuses: ["queued", "failed", "cancelled"], limit: 9 }))).toEqual(["2", "1"]);
    });
  });
}
