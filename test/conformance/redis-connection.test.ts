/** Connections to a real Redis: user and password, TLS, and what it does when its memory is full. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AppError } from "../../src/core/errors.js";
import { createRedisConnections, type RedisAddress, readEvictionPolicy } from "../../src/redis/redis-connection.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

describe.skipIf(isMissing("redis-server", "openssl"))("a connection to Redis", () => {
  const start = async (...words: readonly string[]): Promise<RedisServer> => {
    const server = await startRedis({ arguments: words });
    onTestFinished(() => server.remove());
    return server;
  };

  const open = async (address: RedisAddress, onError: (error: AppError) => void = () => {}) => {
    const redis = await createRedisConnections({ address, onError });
    onTestFinished(() => redis.close());
    return redis;
  };

  it("carries its name, and reads what Redis does when its memory is full", async () => {
    const server = await start();
    const redis = await open({ url: server.url });
    const client = redis.open("doctor", "worker");
    expect(await readEvictionPolicy(client)).toBe("noeviction");
    expect(await server.cli("client", "list")).toContain("name=openchs-ai:doctor");
    await server.cli("config", "set", "maxmemory-policy", "allkeys-lru");
    expect(await readEvictionPolicy(client)).toBe("allkeys-lru");
  });

  it("says that Redis is away when it can't ask", async () => {
    const server = await start();
    const client = (await open({ url: server.url })).open("doctor", "caller");
    await until("it is connected", () => client.status === "ready");
    await server.stop();
    await until("it has noticed", () => client.status !== "ready");
    await expect(readEvictionPolicy(client)).rejects.toMatchObject({ code: "REDIS_UNAVAILABLE", retryable: true });
    await server.start();
    await until("it is connected again", () => client.status === "ready");
    expect(await readEvictionPolicy(client)).toBe("noeviction");
  });

  it("signs in with the user and password of its address, and says nothing of a wrong one", async () => {
    const server = await start();
    await server.cli("acl", "setuser", "helpline", "on", ">p@ss:word", "~*", "&*", "+@all");
    await server.cli("acl", "setuser", "default", "off");
    const url = (password: string): string => `redis://helpline:${encodeURIComponent(password)}@127.0.0.1:${server.port}`;
    const right = (await open({ url: url("p@ss:word") })).open("test", "worker");
    expect(await right.ping()).toBe("PONG");
    const errors: AppError[] = [];
    (await open({ url: url("geheim") }, (error) => errors.push(error))).open("test", "worker");
    await until("it was refused", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: "REDIS_UNAVAILABLE" });
    expect(errors[0]?.message).not.toContain("geheim");
  });

  it("speaks TLS with a server whose authority it was given, and with no other", async () => {
    const directory = await makeTemporaryDirectory();
    onTestFinished(() => directory.remove());
    const [key, certificate] = [join(directory.path, "key.pem"), join(directory.path, "certificate.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", certificate, ...subject]);
    const server = await start();
    const tlsPort = server.port + 10_000;
    const settings = {
      "tls-cert-file": certificate,
      "tls-key-file": key,
      "tls-ca-cert-file": certificate,
      "tls-auth-clients": "no",
      "tls-port": String(tlsPort),
    };
    await server.cli("config", "set", ...Object.entries(settings).flat());
    const url = `rediss://127.0.0.1:${tlsPort}`;
    const trusted = (await open({ url, caFile: certificate })).open("test", "worker");
    expect(await trusted.ping()).toBe("PONG");
    const errors: AppError[] = [];
    (await open({ url }, (error) => errors.push(error))).open("test", "worker");
    await until("it was refused", () => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: "REDIS_UNAVAILABLE" });
  });
});
