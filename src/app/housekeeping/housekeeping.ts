/** What is done now and then, and not because somebody asked: removing what has expired, and trying the service out. */
import { SYNTHETIC_OUTCOMES } from "../../calls/synthetic/synthetic-calls.js";
import type { Config } from "../../config/config-schema.js";
import type { Logger } from "../../core/log.js";
import type { HealthCheck } from "../../observability/health.js";
import type { Metrics } from "../../observability/metrics.js";
import type { Services } from "../build-services.js";
import { startPurging } from "./purge-schedule.js";
import { startSyntheticCalls, syntheticCallCheck } from "./synthetic-call-schedule.js";

export interface Housekeeping {
  readonly checks: readonly HealthCheck[];
  /** Waits for what is in hand. */
  stop(): Promise<void>;
}

/** Of a process that does not keep house. */
export const NO_HOUSEKEEPING: Housekeeping = { checks: [], stop: async () => {} };

/** Where several processes keep house, one of them has its turn. */
export function startHousekeeping(services: Services, { config, metrics, logger }: HousekeepingParts): Housekeeping {
  const stopPurging = startPurging(services, { answerTtlMs: config.inference.answerTtlMs, logger });
  const everyMs = config.syntheticCalls.everySeconds * 1000;
  // Known from the start: a counter that begins with its first failure does not rise by it.
  for (const outcome of SYNTHETIC_OUTCOMES) metrics.syntheticCallSeconds.zero({ outcome });
  const syntheticCalls = startSyntheticCalls(services, {
    ...{ everyMs, logger },
    onResult: ({ outcome, durationMs }) => metrics.syntheticCallSeconds.observe({ outcome }, durationMs / 1000),
  });
  return {
    checks: everyMs === 0 ? [] : [syntheticCallCheck(syntheticCalls)],
    async stop() {
      await Promise.all([stopPurging(), syntheticCalls.stop()]);
    },
  };
}

interface HousekeepingParts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly logger: Logger;
}
