/** What can be said of connections to Redis without one. */
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import type { AppError } from "../../../src/core/errors.js";
import { createRedisConnections, evictionPolicyFault } from "../../../src/redis/redis-connection.js";

describe("connections to Redis", () => {
  it.each(["", "redis", "http://127.0.0.1:6379", "redis://", "redis://127.0.0.1/zero"])("refuse the address %j", async (url) => {
    await expect(createRedisConnections({ address: { url } })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(createRedisConnections({ address: { clusterNodes: ["redis://127.0.0.1:1", url] } })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("say that the authority's certificate can't be read", async () => {
    const address = { url: "rediss://127.0.0.1", caFile: "/nowhere/ca.pem" };
    await expect(createRedisConnections({ address })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("never say the password, nor the address, of a Redis that is away", async () => {
    const port = await freePort();
    const errors: AppError[] = [];
    const heard = withResolvers();
    const redis = await createRedisConnections({
      address: { url: `redis://someone:geheim@127.0.0.1:${port}` },
      onError: (error) => {
        errors.push(error);
        heard.resolve(undefined);
      },
    });
    const client = redis.open("test", "caller");
    await heard.promise;
    await expect(client.ping()).rejects.toThrow();
    redis.close();
    expect(errors[0]).toMatchObject({ code: "REDIS_UNAVAILABLE", retryable: true });
    expect(errors[0]?.message).not.toMatch(/geheim|someone|127\.0\.0\.1/);
  });

  it("have nothing against the one policy that keeps every key", () => {
    expect(evictionPolicyFault("noeviction")).toBeUndefined();
    expect(evictionPolicyFault("allkeys-lru")).toMatchObject({ code: "REDIS_EVICTION_POLICY" });
  });
});

function withResolvers() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
