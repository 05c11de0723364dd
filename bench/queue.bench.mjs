/**
 * The embedded queue: jobs a second drained at concurrency 50 after bulk enqueue, and what one acknowledged enqueue
 * costs beside a raw fdatasync of the same disk in the same run.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../dist/core/clock.js";
import { EmbeddedQueueBackend } from "../dist/queue/backends/embedded-queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../dist/queue/retry-policy.js";
import { openDatabase } from "../dist/storage/database.js";
import { createJobRepository } from "../dist/storage/repositories/job-repository.js";
import { inDirectory, median, percentile, round } from "./measure.mjs";

const JOBS = 10_000;
const CONCURRENCY = 50;
const SINGLE_ENQUEUES = 1_000;
const ROUNDS = 3;

export const bench = () =>
  inDirectory(async (directory) => {
    const drained = [];
    for (let round = 0; round < ROUNDS; round++) drained.push(await drainRate(join(directory, `drain-${round}.db`)));
    const { enqueueMs, syncMs } = await enqueueBesideSync(directory);
    const ratio = percentile(enqueueMs, 0.95) / percentile(syncMs, 0.95);
    return [
      {
        measure: `drained at concurrency ${CONCURRENCY}, median of ${ROUNDS}`,
        value: Math.round(median(drained)),
        unit: "jobs/s",
        bar: ">= 1500",
        isMet: median(drained) >= 1_500,
      },
      { measure: "one enqueue, acknowledged, p95", value: round(percentile(enqueueMs, 0.95)), unit: "ms" },
      { measure: "one enqueue, acknowledged, median", value: round(median(enqueueMs)), unit: "ms" },
      { measure: "raw 4 KB write + fdatasync, p95", value: round(percentile(syncMs, 0.95)), unit: "ms" },
      { measure: "raw 4 KB write + fdatasync, median", value: round(median(syncMs)), unit: "ms" },
      { measure: "enqueue p95 / fdatasync p95", value: round(ratio), unit: "x", bar: "<= 2", isMet: ratio <= 2 },
    ];
  });

async function openQueue(path) {
  const database = openDatabase({ path });
  await database.migrate();
  const queue = new EmbeddedQueueBackend({
    jobs: createJobRepository({ database }),
    clock: systemClock,
    retryPolicy: DEFAULT_RETRY_POLICY,
    leaseMs: 30_000,
    pollIntervalMs: 1_000,
    isExclusive: true,
    maxStalls: 5,
  });
  await queue.start();
  const close = async () => {
    await queue.close(1_000);
    await database.close();
  };
  return { queue, close };
}

async function drainRate(path) {
  const { queue, close } = await openQueue(path);
  const jobs = Array.from({ length: JOBS }, () => ({ jobName: "empty", payload: { callId: "bench" } }));
  for (let start = 0; start < JOBS; start += 1_000) await queue.enqueueMany("models", jobs.slice(start, start + 1_000));
  let done = 0;
  const startedAtMs = performance.now();
  await new Promise((resolve) => {
    queue.consume("models", async () => void (++done === JOBS && resolve()), { concurrency: CONCURRENCY });
  });
  while ((await queue.counts("models")).completed < JOBS) await new Promise((resolve) => setTimeout(resolve, 5));
  const rate = JOBS / ((performance.now() - startedAtMs) / 1000);
  await close();
  return rate;
}

/** In turns, so that both meet the same disk. */
async function enqueueBesideSync(directory) {
  const { queue, close } = await openQueue(join(directory, "enqueue.db"));
  const file = openSync(join(directory, "raw"), "w");
  const page = Buffer.alloc(4_096, 1);
  const enqueueMs = [];
  const syncMs = [];
  for (let index = 0; index < SINGLE_ENQUEUES; index++) {
    const beforeEnqueue = performance.now();
    await queue.enqueue("models", { jobName: "empty", payload: { callId: "bench" } });
    enqueueMs.push(performance.now() - beforeEnqueue);
    const beforeSync = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    syncMs.push(performance.now() - beforeSync);
  }
  closeSync(file);
  await close();
  return { enqueueMs, syncMs };
}
