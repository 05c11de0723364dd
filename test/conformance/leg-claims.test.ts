/** Which stream has a call, over a real Redis: one of several that ask at once, until it dies. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSharedLegRouting } from "../../src/app/roles/shared-leg-routing.js";
import { newId } from "../../src/core/ids.js";
import { createProcessRegistry, type ProcessRegistry } from "../../src/redis/process-registry.js";
import { createRedisConnections, type RedisConnections } from "../../src/redis/redis-connection.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { until } from "../support/until.js";

const ADDRESS = { host: "10.20.0.8", port: 8_301 };

describe.skipIf(isMissing("redis-server"))("legs of calls among several streams", () => {
  let redis: RedisServer;
  let connections: RedisConnections;
  let registry: ProcessRegistry;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());
  beforeEach(async () => {
    connections = await createRedisConnections({ address: { url: redis.url } });
    registry = createProcessRegistry({ redis: connections, namespace: newId() });
  });
  afterEach(async () => {
    await registry.close();
    connections.close();
  });

  const alive = async (...ids: readonly string[]) => {
    const memberships = ids.map((id) => registry.join("stream", id, () => ({ address: ADDRESS })));
    const known = async () => (await registry.list("stream").catch(() => [])).map(({ id }) => id);
    await until("they are known", async () => (await known()).length === ids.length, 10_000, 20);
    return memberships;
  };

  it("are claimed by one of those that ask at once, and all are told the same", async () => {
    await alive("one", "two", "three");
    const owners = await Promise.all(["one", "two", "three", "one", "two"].map((id) => registry.claim("stream", "call", id)));
    expect(new Set(owners).size).toBe(1);
    expect(["one", "two", "three"]).toContain(owners[0]);
    expect(await registry.claim("stream", "another call", "two")).toBe("two");
  });

  it("go to whoever asks next when their owner is gone", async () => {
    const [first] = await alive("one", "two");
    expect(await registry.claim("stream", "call", "one")).toBe("one");
    expect(await registry.claim("stream", "call", "two")).toBe("one");
    await first?.leave();
    expect(await registry.claim("stream", "call", "two")).toBe("two");
    expect(await registry.claim("stream", "call", "one")).toBe("two");
  });

  it("are sent where their call is, by the digit at the end of their ids", async () => {
    await alive("one", "two");
    const pairingKeyOf = (streamId: string): string => streamId.slice(0, -1);
    const [one, two] = ["one", "two"].map((streamId) => createSharedLegRouting({ registry, streamId, pairingKeyOf }));
    expect((await one?.route("call-1"))?.peer).toBeUndefined();
    expect((await two?.route("call-2"))?.peer).toEqual(ADDRESS);
    expect((await one?.route("call-2"))?.peer).toBeUndefined();
    expect((await two?.route("other-2"))?.peer).toBeUndefined();
    for (const routing of [one, two]) routing?.close();
  });

  it("are let in from other streams, wherever those are", async () => {
    await alive("one", "two");
    const routing = createSharedLegRouting({ registry, streamId: "two", pairingKeyOf: (streamId) => streamId });
    await until("the other is known", () => routing.isPeer(ADDRESS.host), 10_000, 20);
    expect(routing.isPeer("10.20.0.9")).toBe(false);
    routing.close();
  });

  it("stay where they come in while Redis is away or silent", async () => {
    await alive("one", "two");
    const routing = createSharedLegRouting({ registry, streamId: "two", pairingKeyOf: (streamId) => streamId.slice(0, -1) });
    await registry.claim("stream", "call-", "one");
    redis.freeze();
    expect((await routing.route("call-2")).peer).toBeUndefined();
    redis.thaw();
    await until("Redis answers again", async () => (await routing.route("call-2")).peer !== undefined, 10_000, 50);
    routing.close();
  });
});
