/** Calls that come in live: what their start knew, and what their end left for the analysis. */

import { AppError } from "../../core/errors.js";
import type { CallEndReason, ChannelCoverage } from "../../core/live-call.js";
import type { AppDatabase } from "../database.js";
import type { LiveCallTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

export interface LiveCallRecord {
  readonly callId: string;
  /** The task that analyses it; a call that is continued gets another. */
  readonly taskId: string;
  readonly language: string;
  readonly isPaired: boolean;
  readonly extension?: string;
  readonly queue?: string;
}

export interface LiveCallRepository {
  insert(call: LiveCallRecord, unitOfWork: UnitOfWork): Promise<void>;
  find(callId: string): Promise<LiveCallRecord | undefined>;
  /** Calls of ours that never ended: their process died. */
  listUnended(): Promise<readonly LiveCallRecord[]>;
  /** The calls of a process that died are ours from now on, and no more its own should it come back. */
  takeOver(deadStreamId: string): Promise<void>;
  update(callId: string, change: Partial<Pick<LiveCallRecord, "taskId" | "isPaired" | "extension" | "queue">>, unitOfWork?: UnitOfWork): Promise<void>;
  /** Null reason: it goes on. @throws AppError `CALL_NOT_LIVE` when another process has taken the call over */
  end(callId: string, reason: CallEndReason | null, coverage: readonly ChannelCoverage[], unitOfWork: UnitOfWork): Promise<void>;
  /** Undefined for uploads and calls older than this. */
  findCoverage(callId: string): Promise<readonly ChannelCoverage[] | undefined>;
}

/**
 * Inserts and updates join a given unit of work.
 *
 * @param options - `streamId`: whose calls these are, where several processes take calls
 */
export function createLiveCallRepository({ database, streamId }: { readonly database: AppDatabase; readonly streamId?: string }): LiveCallRepository {
  return {
    async insert({ callId, taskId, language, isPaired, extension, queue }, unitOfWork) {
      const row = {
        ...{ call_id: callId, task_id: taskId, language, is_paired: isPaired ? 1 : 0 },
        ...{ extension: extension ?? null, queue_name: queue ?? null, end_reason: null, coverage: null, stream_id: streamId ?? null },
      };
      await executorOf(database, unitOfWork).insertInto("live_call").values(row).execute();
    },
    async find(callId) {
      const row = await database.sql.selectFrom("live_call").selectAll().where("call_id", "=", callId).executeTakeFirst();
      return row === undefined ? undefined : toRecord(row);
    },
    async listUnended() {
      let unended = database.sql.selectFrom("live_call").selectAll().where("end_reason", "is", null);
      if (streamId !== undefined) unended = unended.where("stream_id", "=", streamId);
      return (await unended.execute()).map(toRecord);
    },
    async takeOver(deadStreamId) {
      await database.sql
        .updateTable("live_call")
        .set({ stream_id: streamId ?? null })
        // Whoever took them before us, and died, has a name that begins so.
        .where((eb) => eb.or([eb("stream_id", "=", deadStreamId), eb("stream_id", "like", `${deadStreamId}~%`)]))
        .where("end_reason", "is", null)
        .execute();
    },
    async update(callId, { taskId, isPaired, extension, queue }, unitOfWork) {
      const change = {
        ...(taskId === undefined ? {} : { task_id: taskId }),
        ...(isPaired === undefined ? {} : { is_paired: isPaired ? 1 : 0 }),
        ...(extension === undefined ? {} : { extension }),
        ...(queue === undefined ? {} : { queue_name: queue }),
      };
      if (Object.keys(change).length === 0) return;
      await executorOf(database, unitOfWork).updateTable("live_call").set(change).where("call_id", "=", callId).execute();
    },
    async end(callId, reason, coverage, unitOfWork) {
      const change = { end_reason: reason, coverage: JSON.stringify(coverage) };
      let ended = executorOf(database, unitOfWork).updateTable("live_call").set(change).where("call_id", "=", callId);
      if (streamId !== undefined) ended = ended.where("stream_id", "=", streamId);
      const { numUpdatedRows } = await ended.executeTakeFirst();
      if (streamId !== undefined && numUpdatedRows === 0n) throw new AppError("CALL_NOT_LIVE", "Another process has taken this call over.");
    },
    async findCoverage(callId) {
      const row = await database.sql.selectFrom("live_call").select("coverage").where("call_id", "=", callId).executeTakeFirst();
      return typeof row?.coverage === "string" ? (JSON.parse(row.coverage) as readonly ChannelCoverage[]) : undefined;
    },
  };
}

function toRecord(row: LiveCallTable): LiveCallRecord {
  return {
    ...{ callId: row.call_id, taskId: row.task_id, language: row.language, isPaired: row.is_paired === 1 },
    ...(row.extension === null ? {} : { extension: row.extension }),
    ...(row.queue_name === null ? {} : { queue: row.queue_name }),
  };
}
