/** The queue contract on BullMQ with a Redis Cluster of three masters and three replicas. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBullMqHarness } from "../support/bullmq-harness.js";
import { job } from "../support/job-log.js";
import { isMissing } from "../support/requirements.js";
import { type RedisCluster, startRedisCluster } from "../support/start-redis.js";
import { until } from "../support/until.js";
import { describeQueueContract } from "./queue-contract.js";

describe.skipIf(isMissing("redis-server"))("on a Redis Cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.remove());

  describeQueueContract("BullMQ on a cluster", () => createBullMqHarness({ clusterNodes: cluster.nodes }));

  it("loses no job of any queue when a master dies and its replica takes over", async () => {
    const harness = await createBullMqHarness({ clusterNodes: cluster.nodes });
    const { queue } = await harness.openNode({ leaseMs: 1_000 });
    const runs = new Map<string, number>();
    const names = ["live", "recordings", "models", "maintenance"] as const;
    const jobs = Array.from({ length: 300 }, (_, index) => job(`job ${index}`));
    for (const name of names) await queue.enqueueMany(name, jobs);
    for (const name of names) queue.consume(name, async ({ job: { jobId } }) => void runs.set(jobId, (runs.get(jobId) ?? 0) + 1), { concurrency: 2 });
    await until("a part has run", () => runs.size > 50, 15_000, 1);
    await cluster.servers[0]?.stop("SIGKILL");
    await until("all have run", () => runs.size === 4 * jobs.length, 40_000, 20);
    const completed = async () => (await Promise.all(names.map((name) => queue.counts(name)))).every((counts) => counts.completed === jobs.length);
    await until("all are completed", completed);
    expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
    await harness.close();
  });
});
