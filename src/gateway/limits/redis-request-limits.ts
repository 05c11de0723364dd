/** Limits of several processes counted together in Redis; each counts by itself while Redis is away. */
import { createHmac } from "node:crypto";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { AppError } from "../../core/errors.js";
import type { RedisClient } from "../../redis/redis-connection.js";
import { createMemoryRequestLimits, createRequestLimits, type RequestAllowance, type RequestLimits } from "./request-limits.js";

export interface RedisRequestLimitsOptions {
  /** Opened as a `counter`. It may forget: a forgotten count is an allowance once more. */
  readonly client: RedisClient;
  readonly namespace: string;
  /** 32 bytes: who calls, and from which address, is in Redis by its HMAC under this. */
  readonly key: Buffer;
  readonly allowance: RequestAllowance;
}

/** One that did not answer is not waited for again at once. */
const LEFT_ALONE_MS = 5_000;

/** Connects nothing: the client does. */
export function createRedisRequestLimits({ client, namespace, key, allowance }: RedisRequestLimitsOptions): RequestLimits {
  const alone = createMemoryRequestLimits(allowance);
  const shared = createRequestLimits(
    allowance,
    ({ keyPrefix, ...window }) => new RateLimiterRedis({ ...window, storeClient: client, keyPrefix: `${namespace}:limit:${keyPrefix}` }),
  );
  let leftAloneUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async consume(caller) {
      if (client.status !== "ready" || performance.now() < leftAloneUntilMs) return alone.consume(caller);
      try {
        await shared.consume(createHmac("sha256", key).update(caller).digest("base64url"));
      } catch (error) {
        if (error instanceof AppError) throw error;
        leftAloneUntilMs = performance.now() + LEFT_ALONE_MS;
        await alone.consume(caller);
      }
    },
  };
}
