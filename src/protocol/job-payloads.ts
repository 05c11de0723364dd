/**
 * What jobs carry: ids and settings. A payload is written to the queue in clear, so nothing said or known of a caller
 * may stand in it.
 */
import { z } from "zod";
import { CALL_ID_PATTERN } from "../core/ids.js";
import { MODEL_TASKS } from "../core/model-task.js";

export const PROCESS_RECORDING = "process-recording";

/** Idempotent: a second delivery finds the analysis stored, or the stages that are, and does the rest. */
export const processRecordingPayload = z.strictObject({
  callId: z.string().regex(CALL_ID_PATTERN),
  recordingId: z.uuid(),
  language: z.string().max(16),
  includeTranslation: z.boolean(),
  speechEngine: z.string().max(64),
});
export type ProcessRecordingPayload = z.infer<typeof processRecordingPayload>;

export const ANSWER_QUESTION = "answer-question";

/** The question itself lies sealed under the job's id; what is here is for whoever looks at the queue. */
export const answerQuestionPayload = z.strictObject({
  modelTask: z.enum(MODEL_TASKS),
});

/** The call a job works on; undefined for jobs of no call. */
export function callOfJobPayload(payload: unknown): string | undefined {
  return processRecordingPayload.safeParse(payload).data?.callId;
}
