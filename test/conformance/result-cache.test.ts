import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createMemoryResultCache } from "../../src/cache/backends/memory-result-cache.js";
import { createRedisResultCache } from "../../src/cache/backends/redis-result-cache.js";
import { KEPT_MS, type LookupOutcome } from "../../src/cache/result-cache.js";
import { newId } from "../../src/core/ids.js";
import { createRedisConnections } from "../../src/redis/redis-connection.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { until } from "../support/until.js";
import { describeResultCache } from "./result-cache-contract.js";

describeResultCache("memory", async () => {
  const outcomes: LookupOutcome[] = [];
  return { cache: createMemoryResultCache({ onLookup: (outcome) => outcomes.push(outcome) }), outcomes, close: async () => {} };
});

describe("a result cache in memory", () => {
  it("holds no more than it has room for: what was not asked for the longest goes", async () => {
    const cache = createMemoryResultCache({ onLookup: () => {} });
    const million = "x".repeat(1_000_000);
    for (let index = 0; index < 16; index++) await cache.set(`${index}`, million);
    expect(await cache.get("0")).toBe(million);
    await cache.set("16", million);
    expect([(await cache.get("0"))?.length, await cache.get("1"), (await cache.get("16"))?.length]).toEqual([1_000_000, undefined, 1_000_000]);
  });
});

describe.skipIf(isMissing("redis-server"))("a result cache in Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  const start = async (namespace = newId()) => {
    const connections = await createRedisConnections({ address: { url: redis.url } });
    const client = connections.open("results", "counter");
    await until("it is connected", () => client.status === "ready");
    const outcomes: LookupOutcome[] = [];
    const cache = createRedisResultCache({ client, namespace, onLookup: (outcome) => outcomes.push(outcome) });
    return { cache, outcomes, namespace, client, close: async () => connections.close() };
  };

  describeResultCache("Redis", () => start());

  it("is the same for every process of a service, and another for another's", async () => {
    const [here, elsewhere] = [await start(), await start()];
    const there = await start(here.namespace);
    onTestFinished(async () => void (await Promise.all([here, there, elsewhere].map((each) => each.close()))));
    await here.cache.set("one", "of here");
    expect([await there.cache.get("one"), await elsewhere.cache.get("one")]).toEqual(["of here", undefined]);
    await there.cache.remove("one");
    expect(await here.cache.get("one")).toBeUndefined();
  });

  it("ends every result by itself", async () => {
    const { cache, client, namespace, close } = await start();
    onTestFinished(close);
    await cache.set("one", "value");
    const [key = ""] = await client.keys(`${namespace}*`);
    const leftMs = await client.pttl(key);
    expect(leftMs).toBeGreaterThan(KEPT_MS - 60_000);
    expect(leftMs).toBeLessThanOrEqual(KEPT_MS);
  });

  it("finds nothing while Redis is mute or gone, holds nobody up, and finds again what it kept", async () => {
    const { cache, outcomes, close } = await start();
    onTestFinished(close);
    await cache.set("one", "value");
    redis.freeze();
    const askedAtMs = performance.now();
    for (let index = 0; index < 20; index++) {
      expect(await cache.get("one")).toBeUndefined();
      await cache.set("other", "value");
      await cache.remove("one");
    }
    // One question is waited for, not sixty.
    expect(performance.now() - askedAtMs).toBeLessThan(4_000);
    expect(new Set(outcomes)).toEqual(new Set(["failed"]));
    redis.thaw();
    await until("it answers again", async () => (await cache.get("one")) === "value", 20_000, 250);
    await redis.stop();
    expect(await cache.get("one")).toBeUndefined();
    await redis.start();
    await until("it is back", async () => (await cache.get("one")) === "value", 20_000, 250);
  });
});
