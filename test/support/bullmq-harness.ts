/** Nodes of the BullMQ queue on one Redis and one SQLite file: a process each, as far as both can tell. */
import { join } from "node:path";
import { newId } from "../../src/core/ids.js";
import { type BullMqQueueOptions, createBullMqQueue } from "../../src/queue/backends/bullmq-queue-backend.js";
import { createRedisConnections, type RedisAddress } from "../../src/redis/redis-connection.js";
import { openDatabase } from "../../src/storage/database.js";
import { createJobRepository } from "../../src/storage/repositories/job-repository.js";
import { FreezableClock } from "./freezable-clock.js";
import type { QueueHarness, QueueNode, QueueNodeOptions } from "./queue-harness.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

const CLOSE_DEADLINE_MS = 200;

export type BullMqNodeOptions = QueueNodeOptions & Partial<Pick<BullMqQueueOptions, "onOutcome" | "onEnded" | "onError" | "onRecoveryEnded">>;

export interface BullMqHarness extends QueueHarness {
  openNode(options?: BullMqNodeOptions): Promise<QueueNode>;
}

export async function createBullMqHarness(address: RedisAddress): Promise<BullMqHarness> {
  const directory = await makeTemporaryDirectory();
  const namespace = `test-${newId().slice(-12)}`;
  const closers = new Set<() => Promise<void>>();
  return {
    async openNode(options = {}) {
      const { node, close } = await openBullMqNode({ path: join(directory.path, "queue.db"), namespace, address, options });
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
      await Promise.all([...closers].map((close) => close()));
      await directory.remove();
    },
  };
}

interface NodePlace {
  readonly path: string;
  readonly namespace: string;
  readonly address: RedisAddress;
  readonly options: BullMqNodeOptions;
}

async function openBullMqNode({ path, namespace, address, options }: NodePlace): Promise<{ node: QueueNode; close: () => Promise<void> }> {
  const database = openDatabase({ path });
  await database.migrate();
  const redis = await createRedisConnections({ address });
  const freezable = new FreezableClock();
  const { clock = freezable, leaseMs = 5_000, pollIntervalMs = 200, isExclusive = false, maxStalls = 5, ...rest } = options;
  const queue = await createBullMqQueue({
    ...{ redis, namespace, database, jobs: createJobRepository({ database }), clock, leaseMs, pollIntervalMs, isExclusive, maxStalls },
    retryPolicy: options.retryPolicy ?? { firstDelayMs: 10, maxDelayMs: 80 },
    ...rest,
  });
  await queue.start();
  return {
    node: {
      queue,
      database,
      async die() {
        freezable.freeze();
        redis.close();
        await database.close();
      },
    },
    async close() {
      await queue.close(CLOSE_DEADLINE_MS);
      redis.close();
      await database.close();
    },
  };
}
