/** Batches of recordings: which tasks they became, in order, and what was refused. */
import type { ErrorCode } from "../../core/errors.js";
import type { AppDatabase } from "../database.js";
import { inRepeatedTransaction } from "../unit-of-work.js";

export interface BatchRecord {
  readonly batchId: string;
  readonly createdAtMs: number;
  /** In the order of the request; a refused one has no task. */
  readonly items: readonly { readonly taskId: string | null; readonly errorCode: ErrorCode | null }[];
}

export interface BatchRepository {
  /** All or nothing. */
  insertBatch(batch: BatchRecord): Promise<void>;
  findBatch(batchId: string): Promise<BatchRecord | undefined>;
}

/** Every method is its own transaction. */
export function createBatchRepository(options: { readonly database: AppDatabase }): BatchRepository {
  const { database } = options;
  return {
    insertBatch: ({ batchId, createdAtMs, items }) =>
      inRepeatedTransaction(database, async (transaction) => {
        await transaction.insertInto("batch").values({ batch_id: batchId, created_at_ms: createdAtMs }).execute();
        for (const [position, { taskId, errorCode }] of items.entries()) {
          await transaction.insertInto("batch_item").values({ batch_id: batchId, position, task_id: taskId, error_code: errorCode }).execute();
        }
      }),
    async findBatch(batchId) {
      const batch = await database.sql.selectFrom("batch").selectAll().where("batch_id", "=", batchId).executeTakeFirst();
      if (batch === undefined) return undefined;
      const rows = await database.sql.selectFrom("batch_item").selectAll().where("batch_id", "=", batchId).orderBy("position").execute();
      return {
        batchId,
        createdAtMs: batch.created_at_ms,
        items: rows.map((row) => ({ taskId: row.task_id, errorCode: row.error_code as ErrorCode | null })),
      };
    },
  };
}
