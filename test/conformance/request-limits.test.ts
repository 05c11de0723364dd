import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { createRedisRequestLimits } from "../../src/gateway/limits/redis-request-limits.js";
import { createMemoryRequestLimits, type RequestAllowance } from "../../src/gateway/limits/request-limits.js";
import { createRedisConnections } from "../../src/redis/redis-connection.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { until } from "../support/until.js";
import { describeRequestLimits } from "./request-limits-contract.js";

describeRequestLimits("memory", async () => ({
  open: async (allowance, processes) => Array.from({ length: processes }, () => createMemoryRequestLimits(allowance)),
  close: async () => {},
}));

describe.skipIf(isMissing("redis-server"))("request limits over Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  const start = async () => {
    const connections = await createRedisConnections({ address: { url: redis.url } });
    const [namespace, key] = [newId(), randomBytes(32)];
    const openOne = async (allowance: RequestAllowance) => {
      const client = connections.open("limits", "counter");
      await until("it is connected", () => client.status === "ready");
      return createRedisRequestLimits({ client, namespace, key, allowance });
    };
    return {
      namespace,
      client: connections.open("reader", "caller"),
      open: (allowance: RequestAllowance, processes: number) => Promise.all(Array.from({ length: processes }, () => openOne(allowance))),
      close: async () => connections.close(),
    };
  };
  const allTaken = async (requests: readonly Promise<void>[]): Promise<number> =>
    (await Promise.allSettled(requests)).filter(({ status }) => status === "fulfilled").length;

  describeRequestLimits("Redis", start);

  it("are counted together by several processes", async () => {
    const harness = await start();
    const processes = await harness.open({ perSecond: 10, burst: 30 }, 4);
    const taken = await allTaken(processes.flatMap((limits) => Array.from({ length: 50 }, () => limits.consume("caller"))));
    expect(taken).toBeGreaterThanOrEqual(30);
    // 120 and more if each counted alone.
    expect(taken).toBeLessThan(100);
    await harness.close();
  });

  it("name nobody in Redis", async () => {
    const harness = await start();
    const [limits] = await harness.open({ perSecond: 10, burst: 30 }, 1);
    await limits?.consume("10.20.30.40");
    await until("the reader is connected", () => harness.client.status === "ready");
    const keys = await harness.client.keys(`${harness.namespace}*`);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.join()).not.toContain("10.20.30.40");
    await harness.close();
  });

  it("are counted by each process alone while Redis is mute or gone, and together again afterwards", async () => {
    const harness = await start();
    const processes = await harness.open({ perSecond: 10, burst: 30 }, 4);
    redis.freeze();
    const alone = await allTaken(processes.flatMap((limits) => Array.from({ length: 50 }, () => limits.consume("caller"))));
    expect(alone).toBeGreaterThanOrEqual(120);
    redis.thaw();
    const countTogether = (caller: string): Promise<number> =>
      allTaken(processes.flatMap((limits) => Array.from({ length: 50 }, () => limits.consume(caller))));
    let round = 0;
    await until("they are counted together again", async () => (await countTogether(`again ${round++}`)) < 100, 20_000, 500);
    await harness.close();
  });
});
