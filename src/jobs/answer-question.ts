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
      if (signal.aborted || !(error instanceof AppError) || error.retryable) throw error;
      throw new PermanentJobError(error.code, { cause: error });
    }
  };
}
