/** What the BullMQ queue makes of a Redis that is restarted, flushed, away or mute, and of processes that are killed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/core/clock.js";
import { inUnitOfWork } from "../../src/storage/unit-of-work.js";
import { type BullMqHarness, createBullMqHarness } from "../support/bullmq-harness.js";
import { job, logJobs, untilStatus } from "../support/job-log.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { createGate, until, untilAborted } from "../support/until.js";

const many = (count: number) => Array.from({ length: count }, (_, index) => job(`job ${index}`));

describe.skipIf(isMissing("redis-server"))("the BullMQ queue", () => {
  let redis: RedisServer;
  let harness: BullMqHarness;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    harness = await createBullMqHarness({ url: redis.url });
  });
  afterEach(() => harness.close());

  it("says that several processes may consume at once, and shares the jobs among them", async () => {
    const [one, other] = [await harness.openNode(), await harness.openNode()];
    expect(one.queue.capabilities).toEqual({ multiProcess: true });
    const runs = new Map<string, number>();
    const shares = [0, 0];
    for (const [index, { queue }] of [one, other].entries()) {
      const handler = async ({ job: { jobId } }: { readonly job: { readonly jobId: string } }) => {
        runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
        shares[index] = (shares[index] ?? 0) + 1;
      };
      queue.consume("models", handler, { concurrency: 10 });
    }
    await one.queue.enqueueMany("models", many(600));
    await until("all are completed", async () => (await one.queue.counts("models")).completed === 600);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  it("keeps back no job when a process is closed under load, however long its leases, and leaves nothing in Redis", async () => {
    const [closing, staying] = [await harness.openNode({ leaseMs: 3_600_000 }), await harness.openNode({ leaseMs: 3_600_000 })];
    const runs = new Map<string, number>();
    const handler = async ({ job: { jobId } }: { readonly job: { readonly jobId: string } }) => void runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
    const enqueued = await closing.queue.enqueueMany("maintenance", many(1_000));
    for (let round = 1; round <= 12; round++) {
      const consumer = closing.queue.consume("maintenance", handler, { concurrency: 20 });
      await until("a part has run", () => runs.size > round * 20, 15_000, 1);
      await consumer.close(5_000);
    }
    expect(runs.size).toBeLessThan(1_000);
    staying.queue.consume("maintenance", handler, { concurrency: 20 });
    await until("all are completed", async () => (await staying.queue.counts("maintenance")).completed === 1_000);
    expect([...runs.values()].every((count) => count === 1)).toBe(true);
    await staying.queue.close(5_000);
    const ids = new Set(enqueued.map(({ jobId }) => jobId));
    const keys = (await redis.cli("keys", "*:maintenance:*")).split("\n");
    expect(keys.filter((key) => [...ids].some((id) => key.includes(id)))).toEqual([]);
  });

  it("gives back at once what it was given and had not begun when it was closed", async () => {
    const { queue, database } = await harness.openNode({ leaseMs: 3_600_000 });
    const log = logJobs();
    const first = await queue.enqueue("live", job("first"));
    const before = queue.consume("live", log.handler, { concurrency: 1 });
    await untilStatus(queue, first.jobId, "completed");
    await before.close(5_000);
    const enqueued = await queue.enqueueMany("live", many(4));
    const length = async (key: string, command: string): Promise<number> => Number(await redis.cli(command, (await redis.cli("keys", key)) || "none"));
    await until("all tickets wait", async () => (await length("*:live:prioritized", "zcard")) === 4);
    // While a unit of work is open, no claim of this process comes through.
    const { closing } = await inUnitOfWork(database, async () => {
      const consumer = queue.consume("live", log.handler, { concurrency: 4 });
      await until("all tickets are given out", async () => (await length("*:live:active", "llen")) === 4);
      return { closing: consumer.close(5_000) };
    });
    await closing;
    const other = await harness.openNode({ leaseMs: 3_600_000 });
    other.queue.consume("live", log.handler, { concurrency: 1 });
    for (const { jobId } of enqueued) await untilStatus(other.queue, jobId, "completed");
    expect(log.seen).toHaveLength(5);
  });

  it("loses no job when Redis is stopped and started under load", async () => {
    const { queue } = await harness.openNode({ leaseMs: 1_000 });
    await expectEachRunUnder(queue, async () => {
      await redis.stop("SIGTERM");
      await redis.start();
    });
  });

  it("loses no job when Redis is killed under load", async () => {
    const { queue } = await harness.openNode({ leaseMs: 1_000 });
    await expectEachRunUnder(queue, async () => {
      await redis.stop("SIGKILL");
      await redis.start();
    });
  });

  it("loses no job when Redis is flushed under load", async () => {
    const { queue } = await harness.openNode({ leaseMs: 1_000 });
    await expectEachRunUnder(queue, async () => void (await redis.cli("flushall")));
  });

  it("runs a killed process's job in another one, once", async () => {
    const first = await harness.openNode({ leaseMs: 1_000 });
    const log = logJobs(() => createGate().opened);
    first.queue.consume("recordings", log.handler, { concurrency: 1 });
    const { jobId } = await first.queue.enqueue("recordings", job("survivor", { maxAttempts: 1 }));
    await until("the job runs", () => log.seen.length === 1);
    const second = await harness.openNode({ leaseMs: 1_000 });
    const later = logJobs();
    second.queue.consume("recordings", later.handler, { concurrency: 4 });
    await first.die();
    await untilStatus(second.queue, jobId, "completed");
    const after = await second.queue.enqueue("recordings", job("after"));
    await untilStatus(second.queue, after.jobId, "completed");
    expect(later.seen.map(({ jobName, attempt }) => [jobName, attempt])).toEqual([
      ["survivor", 1],
      ["after", 1],
    ]);
  });

  it("leaves a running job alone when another machine's clock is two hours ahead", async () => {
    const { queue } = await harness.openNode({ leaseMs: 1_000 });
    const gate = createGate();
    const log = logJobs(() => gate.opened);
    queue.consume("recordings", log.handler, { concurrency: 2 });
    const { jobId } = await queue.enqueue("recordings", job("long", { maxAttempts: 1 }));
    await until("it runs", () => log.seen.length === 1);
    const ahead: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 7_200_000 };
    const other = await harness.openNode({ clock: ahead, leaseMs: 100 });
    other.queue.consume("models", logJobs().handler, { concurrency: 1 });
    const later = await other.queue.enqueue("models", job("later", { delayMs: 500 }));
    await untilStatus(other.queue, later.jobId, "completed");
    expect(await queue.find(jobId)).toMatchObject({ status: "processing" });
    gate.open();
    await untilStatus(queue, jobId, "completed");
    expect(log.seen).toHaveLength(1);
  });

  it("takes jobs while Redis is down, also in a unit of work, and runs them in their order when it is back", async () => {
    const errors: unknown[] = [];
    const { queue, database } = await harness.openNode({ onError: (error) => errors.push(error) });
    const log = logJobs();
    queue.consume("recordings", log.handler, { concurrency: 1 });
    const before = await queue.enqueue("recordings", job("before"));
    await untilStatus(queue, before.jobId, "completed");
    await redis.stop();
    try {
      const one = await queue.enqueue("recordings", job("one"));
      await inUnitOfWork(database, (unitOfWork) => queue.enqueue("recordings", job("two"), { unitOfWork }));
      await queue.enqueueMany("recordings", [job("three"), job("four", { delayMs: 20 })]);
      expect(await queue.find(one.jobId)).toMatchObject({ status: "queued" });
      expect(await queue.counts("recordings")).toMatchObject({ completed: 1 });
    } finally {
      await redis.start();
    }
    await until("all have run", async () => (await queue.counts("recordings")).completed === 5);
    expect(log.names().slice(0, 4)).toEqual(["before", "one", "two", "three"]);
    expect(errors.every((error) => (error as { code?: string }).code === "REDIS_UNAVAILABLE")).toBe(true);
  });

  it("finishes what runs while Redis is down, and keeps the settlement", async () => {
    const { queue } = await harness.openNode();
    const gate = createGate();
    const log = logJobs(() => gate.opened);
    queue.consume("recordings", log.handler, { concurrency: 1 });
    const { jobId } = await queue.enqueue("recordings", job("running"));
    await until("it runs", () => log.seen.length === 1);
    await redis.stop();
    try {
      gate.open();
      await untilStatus(queue, jobId, "completed");
    } finally {
      await redis.start();
    }
    const next = await queue.enqueue("recordings", job("next"));
    await untilStatus(queue, next.jobId, "completed");
    expect(log.names()).toEqual(["running", "next"]);
  });

  it("starts, enqueues and closes without Redis", async () => {
    await redis.stop();
    try {
      const { queue } = await harness.openNode();
      queue.consume("recordings", logJobs().handler, { concurrency: 1 });
      const { jobId } = await queue.enqueue("recordings", job("waiting"));
      const startedAtMs = performance.now();
      await queue.close(200);
      expect(performance.now() - startedAtMs).toBeLessThan(6_000);
      const { queue: reader } = await harness.openNode();
      expect(await reader.find(jobId)).toMatchObject({ status: "queued", attempt: 0 });
    } finally {
      await redis.start();
    }
  });

  it("hands a running job back when it is closed while Redis is down", async () => {
    const { queue } = await harness.openNode();
    const log = logJobs(({ signal }) => untilAborted(signal));
    queue.consume("recordings", log.handler, { concurrency: 1 });
    const { jobId } = await queue.enqueue("recordings", job("running"));
    await until("it runs", () => log.seen.length === 1);
    await redis.stop();
    try {
      await queue.close(30);
      const { queue: reader } = await harness.openNode();
      expect(await reader.find(jobId)).toMatchObject({ status: "queued", attempt: 0 });
    } finally {
      await redis.start();
    }
    const second = await harness.openNode();
    second.queue.consume("recordings", logJobs().handler, { concurrency: 1 });
    await untilStatus(second.queue, jobId, "completed");
  });

  it("does not wait for a Redis that has fallen mute when it enqueues, and goes on when it speaks again", async () => {
    const { queue } = await harness.openNode();
    const log = logJobs();
    queue.consume("recordings", log.handler, { concurrency: 1 });
    const first = await queue.enqueue("recordings", job("first"));
    await untilStatus(queue, first.jobId, "completed");
    redis.freeze();
    const startedAtMs = performance.now();
    const { jobId } = await queue.enqueue("recordings", job("mute"));
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    redis.thaw();
    await untilStatus(queue, jobId, "completed");
    expect(log.names()).toEqual(["first", "mute"]);
  });

  it("tells a running job of another process to stop long before its lease is renewed", async () => {
    const { queue } = await harness.openNode({ leaseMs: 3_600_000 });
    const commandLine = await harness.openNode();
    const log = logJobs(({ signal }) => untilAborted(signal));
    queue.consume("recordings", log.handler, { concurrency: 1 });
    const { jobId } = await queue.enqueue("recordings", job("long"));
    await until("it runs", () => log.seen.length === 1);
    expect(await commandLine.queue.cancel(jobId)).toBe("cancelling");
    await untilStatus(commandLine.queue, jobId, "cancelled");
  });

  it("gives Redis ids and nothing else", async () => {
    const { queue } = await harness.openNode();
    await queue.enqueue("recordings", { jobName: "secret-name", payload: { callId: "secret-payload" }, idempotencyKey: "secret-key" });
    queue.consume("models", logJobs().handler, { concurrency: 1 });
    const { jobId } = await queue.enqueue("models", { jobName: "secret-name", payload: { callId: "secret-payload" } });
    await untilStatus(queue, jobId, "completed");
    await until("the ticket has been there", async () => (await redis.written()).includes(jobId));
    expect(await redis.written()).not.toContain("secret");
  });

  /** Many jobs, with trouble in the middle: each must run, none may run twice unless it was cut off. */
  async function expectEachRunUnder(queue: Awaited<ReturnType<BullMqHarness["openNode"]>>["queue"], trouble: () => Promise<void>): Promise<void> {
    const count = 1_200;
    const runs = new Map<string, number>();
    const enqueued = await queue.enqueueMany("models", many(count));
    queue.consume("models", async ({ job: { jobId } }) => void runs.set(jobId, (runs.get(jobId) ?? 0) + 1), { concurrency: 8 });
    await until("a part has run", () => runs.size > 100, 15_000, 1);
    await trouble();
    const during = await queue.enqueueMany("models", many(50));
    await until("all are completed", async () => (await queue.counts("models")).completed === count + 50, 30_000, 20);
    expect([...enqueued, ...during].filter(({ jobId }) => runs.get(jobId) !== 1)).toEqual([]);
  }
});
