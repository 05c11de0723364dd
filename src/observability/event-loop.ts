/** How late the event loop runs: the number that tells whether live calls are served in time. */
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface EventLoopMonitor {
  /** 99th percentile delay since the last call, in milliseconds. */
  takeP99Ms(): number;
  stop(): void;
}

const RESOLUTION_MS = 10;

/** Starts measuring; stop it, or it samples for ever. */
export function startEventLoopMonitor(): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    takeP99Ms: () => {
      // The histogram counts from one timer tick to the next, so an idle loop shows the resolution itself.
      const p99Ms = Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
      histogram.reset();
      return Number.isFinite(p99Ms) ? p99Ms : 0;
    },
    stop: () => histogram.disable(),
  };
}
