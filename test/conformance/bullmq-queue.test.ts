/** The queue contract on BullMQ with a real Redis, the jobs' rows in SQLite. */
import { afterAll, beforeAll, describe } from "vitest";
import { createBullMqHarness } from "../support/bullmq-harness.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { describeQueueContract } from "./queue-contract.js";

describe.skipIf(isMissing("redis-server"))("on one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  describeQueueContract("BullMQ", () => createBullMqHarness({ url: redis.url }));
});
