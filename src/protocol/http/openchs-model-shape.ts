/** Answers of single models as the Python service gave them: `{task_id, status, result?, error?}` with its words. */
import { z } from "zod";
import type { WorkStatus } from "../../core/call.js";
import { ERROR_CATALOGUE, type ErrorCode } from "../../core/error-catalogue.js";
import type { Evidence } from "../../core/evidence.js";
import type { ModelAnswer } from "../../core/model-answer.js";
import { transcriptText } from "../../core/transcript.js";
import { entitiesByLabel, flatEntities } from "./model-schema.js";
import { openchsClassification, openchsEntities, openchsQuality, openchsScores } from "./openchs-labels.js";

export const openchsModelTaskSchema = z.object({
  task_id: z.string(),
  status: z.enum(["pending", "processing", "success", "failed"]),
  progress: z.int().min(0).max(100),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.string().optional(),
});

const STATUSES: Readonly<Record<WorkStatus, z.infer<typeof openchsModelTaskSchema>["status"]>> = {
  ...{ queued: "pending", processing: "processing", completed: "success" },
  ...{ failed: "failed", cancelled: "failed" },
};

export interface ModelTaskToShape {
  readonly taskId: string;
  readonly status: WorkStatus;
  readonly progress: number;
  /** Epoch milliseconds. */
  readonly createdAtMs: number;
  readonly answer?: ModelAnswer;
  readonly errorCode?: ErrorCode;
}

/** @param flat - entities one by one, or texts by label. */
export function toOpenchsModelTask(
  { taskId, status, progress, createdAtMs, answer, errorCode }: ModelTaskToShape,
  flat: boolean,
): z.infer<typeof openchsModelTaskSchema> {
  return {
    ...{ task_id: taskId, status: STATUSES[status], progress },
    ...(answer === undefined ? {} : { result: { ...openchsResult(answer, flat), ...aboutResult(answer, createdAtMs) } }),
    ...(errorCode === undefined || answer !== undefined ? {} : { error: ERROR_CATALOGUE[errorCode].meaning }),
  };
}

/** Names and types that were sent are hints which are not kept. */
const UNKNOWN_FILE = { filename: null, file_size_mb: null, format: null, content_type: null };

function aboutResult({ model, processingMs }: ModelAnswer, createdAtMs: number) {
  return { model_info: { ...model }, processing_time: processingMs / 1000, timestamp: new Date(createdAtMs).toISOString() };
}

function openchsResult(answered: ModelAnswer, flat: boolean): Readonly<Record<string, unknown>> {
  switch (answered.modelTask) {
    case "speech": {
      const { transcript, durationMs } = answered.answer;
      return { transcript: transcriptText(transcript.segments), language: transcript.language, audio_info: { ...UNKNOWN_FILE, duration: durationMs / 1000 } };
    }
    case "translation":
      return { translated: answered.answer.text };
    case "entities":
      return { entities: flat ? flatEntities(openchsEntities(answered.answer)).map(openchsEntity) : entitiesByLabel(openchsEntities(answered.answer)) };
    case "classification":
      return { ...openchsClassification(answered.answer), confidence_scores: openchsScores(answered.answer), chunks_processed: 1 };
    case "summary":
      return { summary: answered.answer.text };
    case "quality":
      return { evaluations: openchsQuality(answered.answer) };
    case "question_answering":
      // It had no such endpoint; the names are those of its API page.
      return { answer: answered.answer.answer, score: answered.answer.score, evidence: answered.answer.evidence.map(openchsSpan) };
  }
}

function openchsEntity({ label, text, start_offset: start, end_offset: end, score: confidence }: ReturnType<typeof flatEntities>[number]) {
  return { text, label, start, end, confidence };
}

function openchsSpan({ text, startOffset: start, endOffset: end }: Evidence) {
  return { text, start, end };
}
