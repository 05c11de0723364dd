/** The event bus over Redis: the contract within one process and from one to another, and what Redis's absence does. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { newId } from "../../src/core/ids.js";
import { createRedisEventBus } from "../../src/events/backends/redis-event-bus.js";
import type { EventBus } from "../../src/events/event-bus.js";
import { createRedisConnections } from "../../src/redis/redis-connection.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { until } from "../support/until.js";
import { describeEventBusContract } from "./event-bus-contract.js";

describe.skipIf(isMissing("redis-server"))("events over Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  const open = async (namespace: string, onError?: (error: unknown) => void) => {
    const connections = await createRedisConnections({ address: { url: redis.url } });
    const bus = createRedisEventBus({ redis: connections, namespace, ...(onError === undefined ? {} : { onError }) });
    const close = async (): Promise<void> => {
      await bus.close();
      connections.close();
    };
    return { bus, close };
  };

  /** Two processes, each of which hears the other. */
  const openTwo = async (onError?: (error: unknown) => void) => {
    const namespace = newId();
    const [one, other] = [await open(namespace, onError), await open(namespace)];
    await untilHeard(one.bus, other.bus);
    await untilHeard(other.bus, one.bus);
    return { one, other };
  };

  describeEventBusContract("Redis, one process", async () => {
    const { one, other } = await openTwo();
    await other.close();
    return one;
  });

  describeEventBusContract("Redis, told by another process", async () => {
    const { one, other } = await openTwo();
    const bus: EventBus = {
      publish: (topic) => one.bus.publish(topic),
      subscribe: (topic, listener) => other.bus.subscribe(topic, listener),
      subscribeCalls: (listener) => other.bus.subscribeCalls(listener),
      close: async () => {
        await Promise.all([one.bus.close(), other.bus.close()]);
      },
    };
    return { bus, close: async () => void (await Promise.all([one.close(), other.close()])) };
  });

  it("tells the events of every call, by the call's id, and of no other service", async () => {
    const { one, other } = await openTwo();
    const stranger = await open(newId());
    onTestFinished(async () => void (await Promise.all([one, other, stranger].map(({ close }) => close()))));
    const [heard, foreign] = [new Set<string>(), new Set<string>()];
    other.bus.subscribeCalls((callId) => heard.add(callId));
    stranger.bus.subscribeCalls((callId) => foreign.add(callId));
    for (const topic of ["call/1755070077.79708", "task/a-task", "call/b"] as const) one.bus.publish(topic);
    await until("both calls were heard of", () => heard.size === 2, 5_000);
    expect([...heard]).toEqual(["1755070077.79708", "b"]);
    expect(foreign.size).toBe(0);
  });

  it("is heard in its own process while Redis is down, and by the others again when it is back", async () => {
    const errors: unknown[] = [];
    const { one, other } = await openTwo((error) => errors.push(error));
    onTestFinished(async () => void (await Promise.all([one, other].map(({ close }) => close()))));
    await redis.stop();
    try {
      let count = 0;
      one.bus.subscribe("call/here", () => count++);
      for (let notice = 0; notice < 5; notice++) {
        const before = count;
        one.bus.publish("call/here");
        await until("it was heard here", () => count > before, 5_000);
      }
      await until("the fault was reported", () => errors.length > 0, 5_000);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatchObject({ code: "REDIS_UNAVAILABLE" });
    } finally {
      await redis.start();
    }
    await untilHeard(one.bus, other.bus);
    await untilHeard(other.bus, one.bus);
  });
});

/** Publishes until the other process hears it: it may still be connecting. */
async function untilHeard(from: EventBus, to: EventBus): Promise<void> {
  let isHeard = false;
  const stop = to.subscribe("task/hello", () => {
    isHeard = true;
  });
  await until("the other process hears", () => {
    from.publish("task/hello");
    return isHeard;
  });
  stop();
}
