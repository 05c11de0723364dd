/** Makes a synthetic call every few minutes, of all processes in the one that keeps house. */
import type { SyntheticCallResult } from "../../calls/synthetic/synthetic-calls.js";
import { systemClock } from "../../core/clock.js";
import type { Logger } from "../../core/log.js";
import { errorFields } from "../../observability/error-fields.js";
import type { HealthCheck } from "../../observability/health.js";
import type { Services } from "../build-services.js";

export interface SyntheticCallSchedule {
  /** Null before the first has ended here. */
  readonly last: SyntheticCallResult | null;
  /** Waits until the call in hand is removed. */
  stop(): Promise<void>;
}

export interface SyntheticCallOptions {
  /** 0: never. */
  readonly everyMs: number;
  readonly logger: Logger;
  readonly onResult: (result: SyntheticCallResult) => void;
}

/** The first comes after one interval: a service that starts has other things to do. */
export function startSyntheticCalls(services: Pick<Services, "syntheticCalls" | "isOurTurn">, options: SyntheticCallOptions): SyntheticCallSchedule {
  const { everyMs, logger, onResult } = options;
  const stopping = new AbortController();
  let last: SyntheticCallResult | null = null;
  let running: Promise<void> = Promise.resolve();
  const turn = async (): Promise<void> => {
    if (services.isOurTurn?.() === false) return;
    const result = await services.syntheticCalls.make(stopping.signal);
    if (result === undefined) return;
    last = result;
    onResult(result);
    if (result.outcome === "failed") logger.error("A synthetic call failed: calls may not be analysed", { errorCode: result.errorCode ?? "INTERNAL" });
    if (result.outcome === "late") logger.warn("A synthetic call was not analysed in time: recordings wait long", { durationMs: result.durationMs });
  };
  const plan = () =>
    systemClock.schedule(everyMs, () => {
      running = turn()
        .catch((error: unknown) => logger.error("A synthetic call could not be made or removed", errorFields(error)))
        .then(() => {
          if (!stopping.signal.aborted) timer = plan();
        });
    });
  let timer = everyMs === 0 ? undefined : plan();
  return {
    get last() {
      return last;
    },
    async stop() {
      stopping.abort();
      timer?.cancel();
      await running;
    },
  };
}

/** What the last one says of the service. */
export function syntheticCallCheck(schedule: Pick<SyntheticCallSchedule, "last">): HealthCheck {
  return {
    name: "synthetic_call",
    isEssential: false,
    async run() {
      const { last } = schedule;
      if (last === null) return { status: "ok", detail: "none has ended in this process yet" };
      const at = new Date(last.atMs).toISOString();
      if (last.outcome === "passed") return { status: "ok", detail: `passed in ${last.durationMs} ms at ${at}` };
      const why =
        last.outcome === "late" ? "was not analysed in time; see how many recordings wait" : `failed with ${last.errorCode ?? "INTERNAL"}; see docs/errors.md`;
      return { status: "failed", detail: `the last one, at ${at}, ${why}` };
    },
  };
}
