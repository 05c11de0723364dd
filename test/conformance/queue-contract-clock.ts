/** Queue contract: a wall clock that jumps, as on a box whose battery is flat or that has just met a time server. */
import { describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/core/clock.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import type { HarnessOfTest } from "../support/queue-harness.js";
import { createGate, until } from "../support/until.js";

const TWO_HOURS_MS = 7_200_000;

/** The machine's clock, shifted. */
class ShiftedClock implements Clock {
  shiftMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  schedule(delayMs: number, task: () => void) {
    return systemClock.schedule(delayMs, task);
  }
}

export function describeQueueClock(harness: HarnessOfTest): void {
  describe("a clock that jumps", () => {
    it("does not hold up waiting jobs when it is set back", async () => {
      const clock = new ShiftedClock();
      const { queue } = await harness().openNode({ clock });
      const { jobId } = await queue.enqueue("recordings", job("waiting"));
      clock.shiftMs = -TWO_HOURS_MS;
      queue.consume("recordings", logJobs().handler, { concurrency: 1 });
      await untilStatus(queue, jobId, "completed");
    });

    it("does not hold up a retry for longer than the retry policy allows when it is set back", async () => {
      const clock = new ShiftedClock();
      const { queue } = await harness().openNode({ clock, leaseMs: 60, retryPolicy: { firstDelayMs: 200, maxDelayMs: 200 } });
      const log = logJobs(async () => {
        if (log.seen.length === 1) throw new Error("passing");
      });
      queue.consume("recordings", log.handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("retried"));
      await until("it failed once", async () => (await queue.find(jobId))?.errorCode !== null);
      clock.shiftMs = -TWO_HOURS_MS;
      await untilStatus(queue, jobId, "completed");
    });

    it("does not take this process's own running job for stalled when it is set forward", async () => {
      const clock = new ShiftedClock();
      const { queue } = await harness().openNode({ clock, leaseMs: 60 });
      const gate = createGate();
      const log = logJobs(({ job: { jobName } }) => (jobName === "long" ? gate.opened : Promise.resolve()));
      queue.consume("recordings", log.handler, { concurrency: 2 });
      const { jobId } = await queue.enqueue("recordings", job("long"));
      await until("it runs", () => log.seen.length === 1);
      // Each jump is longer than any lease; each short job between them lets the recovery come round.
      for (let jump = 0; jump < 6; jump++) {
        clock.shiftMs += TWO_HOURS_MS;
        const { jobId: shortId } = await queue.enqueue("recordings", job(`short ${jump}`, { delayMs: 100 }));
        await untilStatus(queue, shortId, "completed");
      }
      gate.open();
      await untilStatus(queue, jobId, "completed");
      expect(log.names().filter((name) => name === "long")).toHaveLength(1);
    });
  });
}
