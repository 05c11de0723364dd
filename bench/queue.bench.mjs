/**
 * The embedded queue: jobs a second drained at concurrency 50 after bulk enqueue, and what one acknowledged enqueue
 * costs beside a raw fdatasync of the same disk in the same run. With `--redis`: the same drain through BullMQ and a
 * Redis of its own, and how long a live job waits for its start while recordings are drained.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../dist/core/clock.js";
import { createBullMqQueue } from "../dist/queue/backends/bullmq-queue-backend.js";
import { EmbeddedQueueBackend } from "../dist/queue/backends/embedded-queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../dist/queue/retry-policy.js";
import { createRedisConnections } from "../dist/redis/redis-connection.js";
import { openDatabase } from "../dist/storage/database.js";
import { createJobRepository } from "../dist/storage/repositories/job-repository.js";
import { inDirectory, median, percentile, round } from "./measure.mjs";
import { withRedis } from "./redis-server.mjs";

const JOBS = 10_000;
const CONCURRENCY = 50;
const SINGLE_ENQUEUES = 1_000;
const ROUNDS = 3;

const LIVE_JOBS = 500;
const LIVE_INTERVAL_MS = 10;
const RECORDING_MS = 60;

export const bench = (words) =>
  words.includes("--redis") ? inDirectory((directory) => withRedis(directory, (url) => benchRedis(directory, url))) : inDirectory(benchEmbedded);

async function benchEmbedded(directory) {
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
}

async function benchRedis(directory, redisUrl) {
  const drained = [];
  for (let round = 0; round < ROUNDS; round++) drained.push(await drainRate(join(directory, `drain-${round}.db`), redisUrl));
  const startMs = await liveStarts(join(directory, "live.db"), redisUrl);
  const embeddedMs = await liveStarts(join(directory, "live-embedded.db"));
  const p99 = percentile(startMs, 0.99);
  return [
    {
      measure: `BullMQ: drained at concurrency ${CONCURRENCY}, median of ${ROUNDS}`,
      value: Math.round(median(drained)),
      unit: "jobs/s",
      bar: ">= 1000",
      isMet: median(drained) >= 1_000,
    },
    { measure: "live job behind full recordings, enqueue to start, p99", value: round(p99), unit: "ms", bar: "< 100", isMet: p99 < 100 },
    { measure: "live job behind full recordings, enqueue to start, median", value: round(median(startMs)), unit: "ms" },
    { measure: "live job behind full recordings, enqueue to start, longest", value: round(Math.max(...startMs)), unit: "ms" },
    { measure: "the same in the embedded queue, p99", value: round(percentile(embeddedMs, 0.99)), unit: "ms" },
  ];
}

/** Live jobs, one every now and then, while every place for recordings is taken and thousands wait. */
async function liveStarts(path, redisUrl) {
  const { queue, close } = await openQueue(path, redisUrl);
  const recordings = Array.from({ length: JOBS }, () => ({ jobName: "recording", payload: { callId: "bench" } }));
  for (let start = 0; start < JOBS; start += 1_000) await queue.enqueueMany("recordings", recordings.slice(start, start + 1_000));
  const consumer = queue.consume("recordings", () => new Promise((resolve) => setTimeout(resolve, RECORDING_MS)), { concurrency: CONCURRENCY });
  const enqueuedAtMs = new Map();
  const startMs = [];
  queue.consume("live", async ({ job }) => void startMs.push(performance.now() - enqueuedAtMs.get(job.payload.callId)), { concurrency: 8 });
  for (let index = 0; index < LIVE_JOBS; index++) {
    await new Promise((resolve) => setTimeout(resolve, LIVE_INTERVAL_MS));
    enqueuedAtMs.set(String(index), performance.now());
    void queue.enqueue("live", { jobName: "live", payload: { callId: String(index) } });
  }
  while (startMs.length < LIVE_JOBS) await new Promise((resolve) => setTimeout(resolve, 5));
  const { queued } = await queue.counts("recordings");
  if (queued === 0) throw new Error("the recordings came to their end first");
  await consumer.close(1_000);
  await close();
  return startMs;
}

async function openQueue(path, redisUrl) {
  const database = openDatabase({ path });
  await database.migrate();
  const options = {
    jobs: createJobRepository({ database }),
    clock: systemClock,
    retryPolicy: DEFAULT_RETRY_POLICY,
    leaseMs: 30_000,
    pollIntervalMs: 1_000,
    isExclusive: true,
    maxStalls: 5,
  };
  const redis = redisUrl === undefined ? undefined : await createRedisConnections({ address: { url: redisUrl } });
  const queue = redis === undefined ? new EmbeddedQueueBackend(options) : await createBullMqQueue({ ...options, redis, namespace: path, database });
  await queue.start();
  const close = async () => {
    await queue.close(1_000);
    redis?.close();
    await database.close();
  };
  return { queue, close };
}

async function drainRate(path, redisUrl) {
  const { queue, close } = await openQueue(path, redisUrl);
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
