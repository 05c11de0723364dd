/** A call whose task ends without an analysis: failed, or cancelled. One place, whoever noticed it. */
import { AppError, type ErrorCode } from "../core/errors.js";
import type { AppDatabase } from "../storage/database.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import type { CallEventLog } from "./call-event-log.js";

export interface EndedTask {
  readonly taskId: string;
  readonly callId: string;
  readonly status: "failed" | "cancelled";
  readonly errorCode: ErrorCode;
}

export interface CallEndingDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly eventLog: CallEventLog;
}

/** Marks the call and tells who follows it. A call that was deleted meanwhile is none of its business. */
export async function endCall({ database, calls, eventLog }: CallEndingDependencies, task: EndedTask): Promise<void> {
  const { taskId, callId, status, errorCode } = task;
  try {
    const sealer = await calls.openSealer(callId);
    await inUnitOfWork(database, async (unitOfWork) => {
      // A job given up for stalled may have been at its end in another process: its analysis stands.
      const analysed = await eventLog.listOfTypes({ callId, sealer }, ["analysis.completed"], unitOfWork);
      if (analysed.some((event) => event.type === "analysis.completed" && event.payload.taskId === taskId)) return;
      await calls.updateOutcome(callId, { status }, unitOfWork);
      await eventLog.append({ callId, sealer }, [{ type: "call.failed", payload: { taskId, status, errorCode } }], unitOfWork);
    });
  } catch (error) {
    if (!(error instanceof AppError && error.code === "CALL_NOT_FOUND")) throw error;
  }
}
