/** A call is analysed once more, on its recording: after a model was installed, or when somebody wants to know. */

import { isEndedStatus } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { newId } from "../core/ids.js";
import { PROCESS_RECORDING, type ProcessRecordingPayload } from "../protocol/job-payloads.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import { type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Authorized } from "../security/authorization.js";
import type { AppDatabase } from "../storage/database.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import type { LiveCallRepository } from "../storage/repositories/live-call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import { callNotFound } from "./call-not-found.js";

export interface ReanalysisUseCase {
  /** The newest analysis counts. @throws AppError `CALL_NOT_FOUND`, `CALL_IN_WORK`, `AUDIO_FILE_NOT_FOUND` */
  start(authorized: Authorized<"recording:create">, callId: string): Promise<{ readonly callId: string; readonly taskId: string }>;
}

export interface ReanalysisDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly liveCallRecords: LiveCallRepository;
  readonly queue: QueueBackend;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly speechEngine: string;
  readonly maxAttempts: number;
}

/** The use case; durable when it resolves. */
export function createReanalysis(dependencies: ReanalysisDependencies): ReanalysisUseCase {
  const { database, calls, liveCallRecords, queue, clock, speechEngine, maxAttempts } = dependencies;
  return {
    async start({ actor }, callId) {
      const status = await calls.findStatus(callId);
      if (status === undefined) throw callNotFound();
      if (!isEndedStatus(status)) throw inWork();
      const original = (await calls.listRecordings(callId)).find(({ kind }) => kind === "original");
      if (original === undefined) throw new AppError("AUDIO_FILE_NOT_FOUND", "The call has no recording.");
      await recordAllowed(dependencies, actor, "recording.created", callId);
      const taskId = newId(clock.nowMs());
      const language = (await liveCallRecords.find(callId))?.language ?? "auto";
      const payload: ProcessRecordingPayload = { callId, recordingId: original.recordingId, language, includeTranslation: true, speechEngine };
      await inUnitOfWork(database, async (unitOfWork) => {
        // Of two that ask at once, one gets it.
        const now = await calls.findStatus(callId, unitOfWork);
        if (now !== undefined && !isEndedStatus(now)) throw inWork();
        await calls.insertTask(callId, taskId, unitOfWork);
        await calls.updateOutcome(callId, { status: "queued" }, unitOfWork);
        await queue.enqueue("recordings", { jobId: taskId, jobName: PROCESS_RECORDING, payload, maxAttempts }, { unitOfWork });
      });
      return { callId, taskId };
    },
  };
}

function inWork(): AppError {
  return new AppError("CALL_IN_WORK", "The call runs or is being analysed; wait for that to end.");
}
