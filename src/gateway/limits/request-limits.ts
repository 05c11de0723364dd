/** How many requests each caller may make: so many a second, and more of them at once after a quiet while. */
import { BurstyRateLimiter, type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { AppError } from "../../core/errors.js";

export interface RequestLimits {
  /** Counts a request. @throws AppError `GATEWAY_RATE_LIMITED` when the caller has none left */
  consume(caller: string): Promise<void>;
}

export interface RequestAllowance {
  readonly perSecond: number;
  /** At once, what is allowed each second included. */
  readonly burst: number;
}

/** A limiter of one kind: `points` in each window of `duration` seconds. */
export type MakeLimiter = (window: { readonly keyPrefix: string; readonly points: number; readonly duration: number }) => RateLimiterAbstract;

/** A spent burst fills up again within this long. */
const BURST_WINDOW_SECONDS = 60;

/** Of this process alone, in memory: can't be down. */
export function createMemoryRequestLimits(allowance: RequestAllowance): RequestLimits {
  return createRequestLimits(allowance, (window) => new RateLimiterMemory(window));
}

/** Over limiters of any store; what they fail with otherwise is passed on. */
export function createRequestLimits({ perSecond, burst }: RequestAllowance, makeLimiter: MakeLimiter): RequestLimits {
  const limiter = new BurstyRateLimiter(
    makeLimiter({ keyPrefix: "rate", points: perSecond, duration: 1 }),
    makeLimiter({ keyPrefix: "burst", points: Math.max(1, burst - perSecond), duration: BURST_WINDOW_SECONDS }),
  );
  return {
    async consume(caller) {
      try {
        await limiter.consume(caller);
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
        throw new AppError("GATEWAY_RATE_LIMITED", "Too many requests; wait as long as Retry-After says.", { retryable: true, details: { retryAfterSeconds } });
      }
    },
  };
}
