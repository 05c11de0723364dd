import { join } from "node:path";
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import { openDatabase } from "../../src/storage/database.js";
import { createJobRepository } from "../../src/storage/repositories/job-repository.js";
import { FreezableClock } from "../support/freezable-clock.js";
import type { QueueHarness, QueueNode, QueueNodeOptions } from "../support/queue-harness.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { describeQueueContract } from "./queue-contract.js";

const CLOSE_DEADLINE_MS = 200;

async function createEmbeddedHarness(): Promise<QueueHarness> {
  const directory = await makeTemporaryDirectory();
  const closers = new Set<() => Promise<void>>();
  return {
    async openNode(options = {}) {
      const { node, close } = await openEmbeddedNode(join(directory.path, "queue.db"), options);
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
      await directory.remove();
    },
  };
}

async function openEmbeddedNode(path: string, options: QueueNodeOptions): Promise<{ node: QueueNode; close: () => Promise<void> }> {
  const database = openDatabase({ path });
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

describeQueueContract("embedded", createEmbeddedHarness);
