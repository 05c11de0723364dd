/** The embedded queue on a database of any kind, for its contract. */
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import { type OpenDatabaseOptions, openDatabase } from "../../src/storage/database.js";
import { createJobRepository } from "../../src/storage/repositories/job-repository.js";
import { FreezableClock } from "./freezable-clock.js";
import type { QueueHarness, QueueNode, QueueNodeOptions } from "./queue-harness.js";

const CLOSE_DEADLINE_MS = 200;

/** An empty database of a test's own. */
export interface QueueStore {
  readonly options: OpenDatabaseOptions;
  remove(): Promise<void>;
}

export async function createEmbeddedHarness(store: QueueStore): Promise<QueueHarness> {
  const closers = new Set<() => Promise<void>>();
  return {
    async openNode(options = {}) {
      const { node, close } = await openEmbeddedNode(store.options, options);
      closers.add(close);
      return {
        ...node,
        die: async () => {
          closers.delete(close);
          await node.die();
        },
      };
    },
    async close() {
      for (const close of closers) await close();
      await store.remove();
    },
  };
}

async function openEmbeddedNode(place: OpenDatabaseOptions, options: QueueNodeOptions): Promise<{ node: QueueNode; close: () => Promise<void> }> {
  const database = openDatabase(place);
  await database.migrate();
  const freezable = new FreezableClock();
  const { clock = freezable, leaseMs = 5_000, pollIntervalMs = 20, isExclusive = false, maxStalls = 5, random } = options;
  const queue = new EmbeddedQueueBackend({
    ...{ jobs: createJobRepository({ database }), clock, leaseMs, pollIntervalMs, isExclusive, maxStalls },
    retryPolicy: options.retryPolicy ?? { firstDelayMs: 10, maxDelayMs: 80 },
    ...(random === undefined ? {} : { random }),
  });
  await queue.start();
  return {
    node: {
      queue,
      database,
      async die() {
        freezable.freeze();
        await database.close();
      },
    },
    async close() {
      await queue.close(CLOSE_DEADLINE_MS);
      await database.close();
    },
  };
}
