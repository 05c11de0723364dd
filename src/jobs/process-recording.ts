/** Handler of `process-recording`: decodes the payload, calls the use case, tells passing failures from final ones. */
import { StageElsewhereError } from "../analysis/stage-runner.js";
import type { RecordingProcessing } from "../calls/recording-processing.js";
import { AppError, toAppError } from "../core/errors.js";
import { processRecordingPayload } from "../protocol/job-payloads.js";
import { HandOnError, type JobHandler, PermanentJobError } from "../queue/queue-backend.js";
import type { StagePlacement } from "./stage-placement.js";

/** @returns a handler that marks the call failed or cancelled when the job ends so, and hands it on when its next stage is for other workers. */
export function createProcessRecordingHandler(processing: RecordingProcessing, { queueOf, runsHere }: StagePlacement): JobHandler {
  return async ({ job, signal, reportProgress }) => {
    const payload = processRecordingPayload.parse(job.payload);
    const isLastAttempt = job.attempt >= job.maxAttempts;
    const task = { taskId: job.jobId, callId: payload.callId };
    try {
      const { jobId: taskId, progress, attempt } = job;
      await processing.process(payload, { taskId, progress, attempt, isLastAttempt, runsHere, signal, reportProgress });
    } catch (error) {
      if (error instanceof StageElsewhereError) throw new HandOnError(queueOf(error.stage));
      if (signal.aborted) {
        const isCancelled = signal.reason instanceof AppError && signal.reason.code === "QUEUE_JOB_CANCELLED";
        if (isCancelled) await processing.markEnded({ ...task, status: "cancelled", errorCode: "QUEUE_JOB_CANCELLED" });
        throw error;
      }
      const isFinal = error instanceof AppError && !error.retryable;
      if (isFinal || isLastAttempt) await processing.markEnded({ ...task, status: "failed", errorCode: toAppError(error).code });
      throw isFinal ? new PermanentJobError(error.code, { cause: error }) : error;
    }
  };
}
