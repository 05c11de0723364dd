/** A recording's task as the Python service gave it: the analysis lies at `result.result`, with its names and strings. */
import { z } from "zod";
import type { AnalysisResult, AnalysisStage } from "../../core/analysis-result.js";
import { WORK_STATUSES, type WorkStatus } from "../../core/call.js";
import { ERROR_CATALOGUE, type ErrorCode } from "../../core/error-catalogue.js";
import { transcriptText } from "../../core/transcript.js";
import { entitiesByLabel } from "./model-schema.js";
import { openchsClassification, openchsEntities, openchsQuality, openchsScores } from "./openchs-labels.js";

const step = z.object({
  duration: z.number(),
  status: z.enum(["success", "failed", "skipped"]),
  method: z.null().optional(),
  output_length: z.int().optional(),
  entities_found: z.int().optional(),
  confidence: z.number().optional(),
  evaluations_count: z.int().optional(),
  summary_length: z.int().optional(),
  source: z.enum(["basic", "none"]).optional(),
  risk_level: z.string().optional(),
});

/** Durations in seconds. Null: not known here; nothing is made up. */
export const openchsPayloadSchema = z.object({
  audio_info: z.object({
    filename: z.null(),
    file_size_mb: z.null(),
    language_specified: z.null(),
    processing_time: z.number(),
    duration: z.number().nullable(),
  }),
  transcript: z.string(),
  translation: z.string().nullable(),
  nlp_processing_info: z.object({ text_used_for_nlp: z.literal("original_transcript"), nlp_text_length: z.int() }),
  entities: z.record(z.string(), z.array(z.string())),
  classification: z.looseObject({
    main_category: z.string(),
    sub_category: z.string(),
    sub_category_2: z.null(),
    intervention: z.string(),
    priority: z.string(),
    confidence: z.number(),
  }),
  qa_scores: z.record(z.string(), z.array(z.object({ submetric: z.string(), prediction: z.boolean(), score: z.string(), probability: z.number() }))),
  summary: z.string(),
  insights: z.object({ risk_level: z.string(), risk_indicators: z.array(z.string()) }).nullable(),
  processing_steps: z.record(z.string(), step),
  pipeline_info: z.object({
    total_time: z.number(),
    models_used: z.array(z.string()),
    text_flow: z.string(),
    timestamp: z.string(),
    processed_by: z.string(),
  }),
});

export const openchsTaskSchema = z.object({
  task_id: z.string(),
  status: z.enum(WORK_STATUSES),
  progress: z.int().min(0).max(100),
  current_step: z.string(),
  message: z.string(),
  filename: z.null(),
  processing_time: z.number().optional(),
  result: z.object({ status: z.literal("completed"), filename: z.null(), result: openchsPayloadSchema }).optional(),
  error: z.string().optional(),
});

export interface TaskToShape {
  readonly taskId: string;
  readonly status: WorkStatus;
  readonly progress: number;
  readonly currentStep: string;
  readonly result?: AnalysisResult;
  readonly errorCode?: ErrorCode;
}

/** @param now - epoch milliseconds; the shape carries the time of the answer. */
export function toOpenchsTask({ taskId, status, progress, currentStep, result, errorCode }: TaskToShape, now: number): z.infer<typeof openchsTaskSchema> {
  return {
    task_id: taskId,
    status,
    progress: status === "completed" ? 100 : progress,
    current_step: currentStep,
    message: `The task is ${status}.`,
    filename: null,
    ...(result === undefined
      ? {}
      : { processing_time: totalSeconds(result), result: { status: "completed" as const, filename: null, result: toPayload(result, now) } }),
    ...(errorCode === undefined ? {} : { error: ERROR_CATALOGUE[errorCode].meaning }),
  };
}

function toPayload(result: AnalysisResult, now: number): z.infer<typeof openchsPayloadSchema> {
  const transcript = transcriptText(result.transcript?.segments ?? []);
  const { classification, risk } = result;
  return {
    audio_info: {
      ...{ filename: null, file_size_mb: null, language_specified: null, processing_time: totalSeconds(result) },
      duration: result.audio === null ? null : result.audio.durationMs / 1000,
    },
    transcript,
    translation: result.translation === null ? null : result.translation.segments.map(({ text }) => text).join("\n"),
    nlp_processing_info: { text_used_for_nlp: "original_transcript", nlp_text_length: transcript.length },
    entities: entitiesByLabel(openchsEntities(result.entities ?? [])) as Record<string, string[]>,
    classification: classification === null ? noClassification() : withScores(classification),
    qa_scores: openchsQuality(result.quality ?? { heads: [] }),
    summary: result.summary?.text ?? "",
    insights: risk === null ? null : { risk_level: highestRisk(risk), risk_indicators: risk.map(({ kind }) => kind) },
    processing_steps: processingSteps(result),
    pipeline_info: {
      total_time: totalSeconds(result),
      models_used: [...new Set(result.models.map(({ id }) => id))],
      text_flow: "transcript -> entities, classification, summary, quality",
      timestamp: new Date(now).toISOString(),
      processed_by: "worker",
    },
  };
}

function withScores(classification: NonNullable<AnalysisResult["classification"]>) {
  const { sub_category_2: _none, ...scores } = openchsScores(classification);
  const values = Object.values(scores);
  const confidence = values.reduce((sum, score) => sum + score, 0) / values.length;
  return { ...openchsClassification(classification), sub_category_2: null, confidence, confidence_breakdown: scores };
}

function noClassification() {
  return {
    main_category: "Unknown",
    sub_category: "Unknown",
    sub_category_2: null,
    intervention: "Unknown",
    priority: "Unknown",
    confidence: 0,
    confidence_breakdown: {},
  };
}

function highestRisk(risk: NonNullable<AnalysisResult["risk"]>): string {
  return (["critical", "high", "medium", "low"] as const).find((level) => risk.some((finding) => finding.level === level)) ?? "low";
}

function totalSeconds(result: AnalysisResult): number {
  return result.stages.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
}

const STEPS: readonly (readonly [string, AnalysisStage])[] = [
  ["transcription", "transcript"],
  ["translation", "translation"],
  ["ner", "entities"],
  ["classification", "classification"],
  ["qa_scoring", "quality"],
  ["summarization", "summary"],
  ["insights_generation", "risk"],
];

function processingSteps(result: AnalysisResult) {
  const { stages, classification } = result;
  const counts: Readonly<Partial<Record<AnalysisStage, object>>> = {
    transcript: { output_length: transcriptText(result.transcript?.segments ?? []).length },
    translation: { method: null, output_length: result.translation?.segments.reduce((sum, { text }) => sum + text.length, 0) ?? 0 },
    entities: { entities_found: openchsEntities(result.entities ?? []).length },
    classification: { confidence: classification === null ? 0 : withScores(classification).confidence },
    quality: { evaluations_count: Object.values(openchsQuality(result.quality ?? { heads: [] })).reduce((sum, items) => sum + items.length, 0) },
    summary: { summary_length: result.summary?.text.length ?? 0 },
    risk: result.risk === null ? { source: "none" } : { source: "basic", risk_level: highestRisk(result.risk) },
  };
  const words = { completed: "success", failed: "failed", skipped: "skipped" } as const;
  const steps = STEPS.flatMap(([name, stage]) => {
    const report = stages.find((candidate) => candidate.stage === stage);
    return report === undefined ? [] : [[name, { duration: report.durationMs / 1000, status: words[report.status], ...counts[stage] }] as const];
  });
  return Object.fromEntries(steps);
}
