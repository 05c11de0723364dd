/** Many recordings at once: each is taken in or refused on its own, and the batch tells how far all of them are. */
import { isEndedStatus, type WorkStatus } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError, type ErrorCode, toAppError } from "../core/errors.js";
import { isId, newId } from "../core/ids.js";
import { callOfJobPayload } from "../protocol/job-payloads.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import type { Authorized } from "../security/authorization.js";
import type { BatchRepository } from "../storage/repositories/batch-repository.js";
import type { RecordingIntake, RecordingSettings, StagedRecording } from "./recording-intake.js";

/** One file of the request: received, or refused while it came in. */
export type BatchEntry = { readonly staged: StagedRecording } | { readonly error: AppError };

export interface AcceptedBatch {
  readonly batchId: string;
  /** In the order of the request. */
  readonly items: readonly ({ readonly taskId: string; readonly callId: string; readonly status: WorkStatus } | { readonly error: AppError })[];
}

/** `refused`: never became a task. */
export interface BatchItem {
  readonly position: number;
  readonly status: WorkStatus | "refused";
  readonly progress: number;
  readonly taskId?: string;
  readonly callId?: string;
  readonly errorCode?: ErrorCode;
}

export interface Batch {
  readonly batchId: string;
  /** `processing` until every file has ended; then `completed`, or `failed` when not one was analysed. */
  readonly status: "processing" | "completed" | "failed";
  /** Mean of the files' progress, 0..100; a refused or failed file counts as done. */
  readonly progress: number;
  readonly items: readonly BatchItem[];
}

export interface RecordingBatches {
  /** Commits what was received. A file that can't be committed is refused; the others are not held up. */
  commit(
    authorized: Authorized<"recording:create">,
    entries: readonly BatchEntry[],
    settings: Omit<RecordingSettings, "callId" | "live">,
  ): Promise<AcceptedBatch>;
  /** @throws AppError `CALL_BATCH_NOT_FOUND` */
  get(authorized: Authorized<"task:read">, batchId: string): Promise<Batch>;
}

export interface RecordingBatchesDependencies {
  readonly intake: RecordingIntake;
  readonly batches: BatchRepository;
  readonly queue: Pick<QueueBackend, "find">;
  readonly clock: Clock;
}

/** An idempotency key of the request becomes one for each file, by its position. */
export function createRecordingBatches(dependencies: RecordingBatchesDependencies): RecordingBatches {
  const { intake, batches, queue, clock } = dependencies;
  return {
    async commit(authorized, entries, { idempotencyKey, ...settings }) {
      const items: AcceptedBatch["items"][number][] = [];
      for (const [position, entry] of entries.entries()) {
        const key = idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}/${position}` };
        items.push("error" in entry ? entry : await intake.commit(authorized, entry.staged, { ...settings, ...key }).catch(refused));
      }
      const nowMs = clock.nowMs();
      const batchId = newId(nowMs);
      await batches.insertBatch({
        batchId,
        createdAtMs: nowMs,
        items: items.map((item) => ("error" in item ? { taskId: null, errorCode: item.error.code } : { taskId: item.taskId, errorCode: null })),
      });
      return { batchId, items };
    },
    async get(_authorized, batchId) {
      const batch = isId(batchId) ? await batches.findBatch(batchId) : undefined;
      if (batch === undefined) throw new AppError("CALL_BATCH_NOT_FOUND", "There is no batch with this id.");
      const items: BatchItem[] = [];
      for (const [position, { taskId, errorCode }] of batch.items.entries()) {
        items.push(
          taskId === null ? { position, status: "refused", progress: 100, errorCode: errorCode ?? "INTERNAL" } : await taskItem(queue, position, taskId),
        );
      }
      return { batchId, ...summarize(items), items };
    },
  };
}

function refused(thrown: unknown): { readonly error: AppError } {
  return { error: toAppError(thrown) };
}

async function taskItem(queue: RecordingBatchesDependencies["queue"], position: number, taskId: string): Promise<BatchItem> {
  const job = await queue.find(taskId);
  // The call was deleted, and its task with it.
  if (job === undefined) return { position, status: "cancelled", progress: 100, taskId, errorCode: "CALL_NOT_FOUND" };
  const callId = callOfJobPayload(job.payload);
  return {
    position,
    status: job.status,
    progress: isEndedStatus(job.status) ? 100 : job.progress,
    taskId,
    ...(callId === undefined ? {} : { callId }),
    ...(job.errorCode === null || job.status === "completed" ? {} : { errorCode: job.errorCode }),
  };
}

function summarize(items: readonly BatchItem[]): Pick<Batch, "status" | "progress"> {
  const progress = items.length === 0 ? 100 : Math.floor(items.reduce((sum, item) => sum + item.progress, 0) / items.length);
  if (items.some(({ status }) => status === "queued" || status === "processing")) return { status: "processing", progress };
  return { status: items.some(({ status }) => status === "completed") ? "completed" : "failed", progress };
}
