/** Handler of `answer-question`: one model asked once. Idempotent: a second delivery finds the answer stored. */
import { AppError } from "../core/errors.js";
import type { ModelTaskProcessing } from "../model-tasks/model-task-processing.js";
import { answerQuestionPayload } from "../protocol/job-payloads.js";
import { type JobHandler, PermanentJobError } from "../queue/queue-backend.js";

/** @returns a handler that tells passing failures from final ones. */
export function createAnswerQuestionHandler(processing: ModelTaskProcessing): JobHandler {
  return async ({ job, signal }) => {
    answerQuestionPayload.parse(job.payload);
    try {
      await processing.process(job.jobId, signal);
    } catch (error) {
      const isCancelled = signal.aborted && signal.reason instanceof AppError && signal.reason.code === "QUEUE_JOB_CANCELLED";
      const isFinal = !signal.aborted && error instanceof AppError && !error.retryable;
      if (isCancelled || isFinal || (!signal.aborted && job.attempt >= job.maxAttempts)) await processing.giveUp(job.jobId);
      throw isFinal ? new PermanentJobError(error.code, { cause: error }) : error;
    }
  };
}
