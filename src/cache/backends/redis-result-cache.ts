/** Results kept in Redis for all processes; one that does not answer is left alone for a while. */
import type { RedisClient } from "../../redis/redis-connection.js";
import { KEPT_MS, MOST_KEPT_CHARACTERS, type OnLookup, type ResultCache } from "../result-cache.js";

export interface RedisResultCacheOptions {
  /** Opened as a `counter`. It may forget. */
  readonly client: RedisClient;
  readonly namespace: string;
  readonly onLookup: OnLookup;
}

/** One that did not answer is not waited for again at once. */
const LEFT_ALONE_MS = 5_000;

/** Connects nothing: the client does. */
export function createRedisResultCache({ client, namespace, onLookup }: RedisResultCacheOptions): ResultCache {
  let leftAloneUntilMs = Number.NEGATIVE_INFINITY;
  const keyOf = (name: string): string => `${namespace}:result:${name}`;
  /** @returns undefined when it could not be asked */
  const ask = async <T>(command: () => Promise<T>): Promise<T | undefined> => {
    if (client.status !== "ready" || performance.now() < leftAloneUntilMs) return undefined;
    try {
      return await command();
    } catch {
      leftAloneUntilMs = performance.now() + LEFT_ALONE_MS;
      return undefined;
    }
  };
  return {
    async get(name) {
      const value = await ask(() => client.get(keyOf(name)));
      onLookup(value === undefined ? "failed" : value === null ? "miss" : "hit");
      return value ?? undefined;
    },
    async set(name, value) {
      if (value.length > MOST_KEPT_CHARACTERS) await this.remove(name);
      else await ask(() => client.set(keyOf(name), value, "PX", KEPT_MS));
    },
    async remove(name) {
      await ask(() => client.del(keyOf(name)));
    },
  };
}
