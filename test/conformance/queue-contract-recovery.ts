/** Queue contract: jobs whose process died, slept or hung. */
import { describe, expect, it } from "vitest";
import { FreezableClock } from "../support/freezable-clock.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest, QueueNode } from "../support/queue-harness.js";
import { createGate, type Gate, until } from "../support/until.js";

const SHORT_LEASE_MS = 600;

/** Sleeper's handler waits at `gate` while its process sleeps past the lease; the other process has the job by then. */
async function takeOver(harness: HarnessOfTest, end: "return" | "throw") {
  const clock = new FreezableClock();
  const sleeper = await harness().openNode({ clock, leaseMs: SHORT_LEASE_MS });
  const other = await harness().openNode({ leaseMs: SHORT_LEASE_MS });
  const [gate, otherGate] = [createGate(), createGate()];
  let signal: AbortSignal | undefined;
  const log = logJobs(async (context) => {
    signal = context.signal;
    await gate.opened;
    if (end === "throw") throw new Error("the sleeper fails");
  });
  sleeper.queue.consume("recordings", log.handler, { concurrency: 1 });
  const { jobId } = await sleeper.queue.enqueue("recordings", job("contested"));
  await until("the first process has the job", () => log.seen.length === 1);
  clock.freeze();
  const otherLog = logJobs(() => otherGate.opened);
  other.queue.consume("recordings", otherLog.handler, { concurrency: 1 });
  await until("the other process has the job", () => otherLog.seen.length === 1);
  return { clock, sleeper, other, gate, otherGate, otherLog, jobId, isAborted: () => signal?.aborted === true };
}

export function describeQueueRecovery(harness: HarnessOfTest): void {
  describe("recovery", () => {
    const startAndDie = async (node: QueueNode, gate: Gate): Promise<void> => {
      const log = logJobs(() => gate.opened);
      node.queue.consume("recordings", log.handler, { concurrency: 1 });
      await until("the job runs", () => log.seen.length === 1);
      await node.die();
    };

    it("gives a dead process's job to another when the lease has run out", async () => {
      const first = await harness().openNode({ leaseMs: SHORT_LEASE_MS });
      const { jobId } = await first.queue.enqueue("recordings", { jobName: "survivor", payload: { recordingId: "r1" } });
      const never = createGate();
      await startAndDie(first, never);
      const second = await harness().openNode({ leaseMs: SHORT_LEASE_MS });
      const log = logJobs();
      second.queue.consume("recordings", log.handler, { concurrency: 1 });
      await untilStatus(second.queue, jobId, "completed");
      expect(log.seen.map(({ payload }) => payload)).toEqual([{ recordingId: "r1" }]);
    });

    it("leaves a job that takes longer than its lease with the process that is alive", async () => {
      const first = await harness().openNode({ leaseMs: SHORT_LEASE_MS });
      const second = await harness().openNode({ leaseMs: SHORT_LEASE_MS });
      const log = logJobs(async () => {
        const startedAtMs = performance.now();
        await until("four leases have passed", () => performance.now() - startedAtMs > 4 * SHORT_LEASE_MS);
      });
      const { jobId } = await first.queue.enqueue("recordings", job("long"));
      first.queue.consume("recordings", log.handler, { concurrency: 1 });
      await until("the job runs", () => log.seen.length === 1);
      second.queue.consume("recordings", log.handler, { concurrency: 1 });
      await untilStatus(second.queue, jobId, "completed");
      expect(log.seen).toHaveLength(1);
    });

    it("recovers running jobs at once when the process starting is the only one", async () => {
      const first = await harness().openNode({ leaseMs: 3_600_000 });
      const { jobId } = await first.queue.enqueue("recordings", job("survivor"));
      await startAndDie(first, createGate());
      const second = await harness().openNode({ leaseMs: 3_600_000, isExclusive: true });
      expect(await second.queue.find(jobId)).toMatchObject({ status: "queued" });
      second.queue.consume("recordings", logJobs().handler, { concurrency: 1 });
      await untilStatus(second.queue, jobId, "completed");
    });

    it("sets a job aside as dead when it was part of more crashes than allowed", async () => {
      const maxStalls = 2;
      const first = await harness().openNode();
      const { jobId } = await first.queue.enqueue("recordings", job("killer", { maxAttempts: 20 }));
      await startAndDie(first, createGate());
      for (let crash = 2; crash <= maxStalls + 1; crash++) {
        await startAndDie(await harness().openNode({ isExclusive: true, maxStalls }), createGate());
      }
      const last = await harness().openNode({ isExclusive: true, maxStalls });
      const log = logJobs();
      last.queue.consume("recordings", log.handler, { concurrency: 1 });
      expect(await untilStatus(last.queue, jobId, "failed")).toMatchObject({ errorCode: "QUEUE_JOB_STALLED" });
      expect(log.seen).toEqual([]);
      await last.queue.retryDead(jobId);
      await untilStatus(last.queue, jobId, "completed");
    });

    it("keeps a job cancelled that was told to stop before its process died", async () => {
      const first = await harness().openNode();
      const { jobId } = await first.queue.enqueue("recordings", job("cancelled"));
      const log = logJobs(() => createGate().opened);
      first.queue.consume("recordings", log.handler, { concurrency: 1 });
      await until("the job runs", () => log.seen.length === 1);
      expect(await first.queue.cancel(jobId)).toBe("cancelling");
      await first.die();
      const second = await harness().openNode({ isExclusive: true });
      expect(await second.queue.find(jobId)).toMatchObject({ status: "cancelled" });
    });

    it("lets a process that lost its lease complete nothing", async () => {
      const { sleeper, other, gate, otherGate, otherLog, jobId } = await takeOver(harness, "return");
      gate.open();
      await sleeper.queue.close(5_000);
      const whileOtherRuns = await other.queue.find(jobId);
      otherGate.open();
      await untilStatus(other.queue, jobId, "completed");
      expect(whileOtherRuns).toMatchObject({ status: "processing" });
      expect(otherLog.seen).toHaveLength(1);
    });

    it("lets a process that lost its lease put nothing back into the queue", async () => {
      const { sleeper, other, gate, otherGate, otherLog, jobId } = await takeOver(harness, "throw");
      gate.open();
      await sleeper.queue.close(5_000);
      const whileOtherRuns = await other.queue.find(jobId);
      otherGate.open();
      await untilStatus(other.queue, jobId, "completed");
      expect(whileOtherRuns).toMatchObject({ status: "processing" });
      expect(otherLog.seen).toHaveLength(1);
    });

    it("tells a handler through its signal that its lease was lost", async () => {
      const { clock, gate, otherGate, other, jobId, isAborted } = await takeOver(harness, "return");
      clock.thaw();
      try {
        await until("the signal is aborted", isAborted, 5_000);
      } finally {
        gate.open();
        otherGate.open();
      }
      await untilStatus(other.queue, jobId, "completed");
    });
  });
}
