/** What a worker tells of itself: ids, numbers and closed words only. Times are epoch milliseconds UTC. */
import type { ModelTask } from "../core/model-task.js";

export interface SelfTestResult {
  readonly outcome: "passed" | "failed";
  readonly atMs: number;
  readonly durationMs: number;
}

export interface WorkerState {
  readonly queues: readonly string[];
  /** Jobs in work at once, per queue. */
  readonly concurrency: number;
  /** Told to stop: it finishes what it has. */
  readonly isDraining: boolean;
  readonly device: "cpu" | "cuda";
  readonly modelProcesses: number;
  readonly modelRequestsWaiting: number;
  /** Which engine it takes for each task. */
  readonly engines: readonly { readonly task: ModelTask; readonly engine: string }[];
  /** Null before the first. */
  readonly selfTest: SelfTestResult | null;
  readonly startedAtMs: number;
}

/** `stuck`: alive, and its self-test fails; `lost`: gone without a word. */
export type WorkerStatus = "running" | "draining" | "stuck" | "lost" | "stopped";

export interface WorkerView {
  readonly name: string;
  readonly status: WorkerStatus;
  /** What it said last; null when that is not known any more. */
  readonly state: WorkerState | null;
}

/** Of a worker that is alive. */
export function statusOf({ isDraining, selfTest }: WorkerState): WorkerStatus {
  if (isDraining) return "draining";
  return selfTest?.outcome === "failed" ? "stuck" : "running";
}
