/** What the queue contract needs of a backend: several nodes (processes, as far as the queue can tell) on one store. */
import type { Clock } from "../../src/core/clock.js";
import type { QueueBackend } from "../../src/queue/queue-backend.js";
import type { RetryPolicy } from "../../src/queue/retry-policy.js";
import type { AppDatabase } from "../../src/storage/database.js";

export interface QueueNodeOptions {
  readonly clock?: Clock;
  readonly leaseMs?: number;
  readonly pollIntervalMs?: number;
  readonly retryPolicy?: RetryPolicy;
  readonly isExclusive?: boolean;
  readonly maxStalls?: number;
  readonly random?: () => number;
}

export interface QueueNode {
  readonly queue: QueueBackend;
  /** Where a unit of work is opened. */
  readonly database: AppDatabase;
  /** The process is gone: nothing is closed in order, nothing of it reaches the store again. */
  die(): Promise<void>;
}

export interface QueueHarness {
  openNode(options?: QueueNodeOptions): Promise<QueueNode>;
  /** Closes every node that has not died, then removes the store. */
  close(): Promise<void>;
}

export type HarnessOfTest = () => QueueHarness;
