/** The analysis of a call on the wire. Times are integer ms of call audio, scores 0..1, offsets UTF-16, half-open. */
import { z } from "zod";
import { ANALYSIS_STAGES, type AnalysisResult, STAGE_STATUSES } from "../../core/analysis-result.js";
import { WORK_STATUSES } from "../../core/call.js";
import { CONTACT_TYPES, PRIORITIES } from "../../core/case-classification.js";
import { ENTITY_LABELS } from "../../core/entity.js";
import { MODEL_TASKS } from "../../core/model-task.js";
import { QUALITY_MARKS } from "../../core/quality-score.js";
import { RISK_KINDS } from "../../core/risk.js";
import { CHANNELS, SUSPECT_KINDS, transcriptText } from "../../core/transcript.js";
import { toWireCase } from "../wire-case.js";

const milliseconds = z.int().min(0);
const score = z.number().min(0).max(1);
const channel = z.enum(CHANNELS);

export const evidenceSchema = z.object({
  segment_id: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  text: z.string(),
  channel,
  start_ms: milliseconds,
  end_ms: milliseconds,
});

export const ledgerSchema = z.object({
  speech_ms: milliseconds.describe("transcribed speech"),
  silence_ms: milliseconds,
  paused_ms: milliseconds,
  failed_ms: milliseconds.describe("speech that could not be transcribed"),
  gap_ms: milliseconds.describe("nothing arrived; not part of the sum"),
});

const decision = <Label extends z.ZodType>(label: Label) =>
  z.object({ label: label.nullable().describe("null: not enough evidence"), score, evidence: z.array(evidenceSchema) });

export const segmentSchema = z.object({
  id: z.string(),
  channel,
  start_ms: milliseconds,
  end_ms: milliseconds,
  text: z.string(),
  language: z.string().describe("a BCP 47 tag, `mixed` for two languages in one segment, `und` where nothing tells"),
  score: score.nullable().describe("null: the engine gives none"),
  words: z.array(z.object({ text: z.string(), start_ms: milliseconds, end_ms: milliseconds, score: score.nullable() })).optional(),
  suspect: z
    .enum(SUSPECT_KINDS)
    .optional()
    .describe("why the text may be the recognizer's own: it repeats itself, or is a sentence models write when they hear noise"),
});

export const transcriptSchema = z.object({
  text: z.string(),
  language: z.string(),
  low_quality: z.boolean().describe("by an engine known to be poor on this audio"),
  segments: z.array(segmentSchema),
});

export const stageSchema = z.object({
  stage: z.enum(ANALYSIS_STAGES),
  status: z.enum(STAGE_STATUSES),
  duration_ms: milliseconds,
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).optional(),
});

export const analysisSchema = z.object({
  call_id: z.string(),
  task_id: z.string(),
  status: z.enum(WORK_STATUSES),
  audio: z
    .object({
      duration_ms: milliseconds,
      sample_rate_hz: z.int().describe("of the original; 0 while a live call runs"),
      gain_db: z.array(z.number()),
      channels: z.array(z.object({ channel, gain_db: z.number(), ledger: ledgerSchema })),
      ledger: ledgerSchema,
    })
    .nullable(),
  transcript: transcriptSchema.nullable(),
  translation: z.object({ language: z.string(), text: z.string(), segments: z.array(z.object({ segment_id: z.string(), text: z.string() })) }).nullable(),
  entities: z.array(z.object({ label: z.enum(ENTITY_LABELS), text: z.string(), score, mentions: z.array(evidenceSchema) })).nullable(),
  classification: z
    .object({
      contact_type: decision(z.enum(CONTACT_TYPES)),
      main_category: decision(z.string()),
      sub_category: decision(z.string()),
      intervention: decision(z.string()),
      priority: decision(z.enum(PRIORITIES)),
    })
    .nullable(),
  risk: z
    .array(
      z.object({
        kind: z.enum(RISK_KINDS),
        level: z.enum(PRIORITIES),
        ...{ score, evidence: z.array(evidenceSchema), at_ms: milliseconds },
        lowered_by: z.record(z.string(), z.array(z.string())).optional().describe("by language: what would make it less grave, for the counsellor to find out"),
      }),
    )
    .nullable(),
  summary: z.object({ text: z.string(), sentences: z.array(z.object({ text: z.string(), evidence: z.array(evidenceSchema) })) }).nullable(),
  answers: z
    .array(
      z.object({
        id: z.string().describe("of the question in the case form"),
        question: z.string().describe("as asked, in the language of the call"),
        answer: z.string().nullable().describe("the words of the first evidence; null: the call does not say"),
        ...{ score, evidence: z.array(evidenceSchema) },
      }),
    )
    .nullable()
    .describe("to the standing questions of the case form; null: they were not asked"),
  quality: z
    .object({
      heads: z.array(
        z.object({ head: z.string(), items: z.array(z.object({ item: z.string(), mark: z.enum(QUALITY_MARKS), score, evidence: z.array(evidenceSchema) })) }),
      ),
    })
    .nullable(),
  conversation: z
    .object({
      talk_ms: z.partialRecord(channel, milliseconds),
      silence_ms: milliseconds.describe("nobody speaks"),
      longest_silence_ms: milliseconds,
      overlaps: z.int().nullable().describe("stretches in which both speak; null: one channel, which can't tell"),
      overlap_ms: milliseconds.nullable(),
      interruptions: z.int().nullable(),
      interruptions_by: z.partialRecord(channel, z.int()),
      response_delay_ms: z.partialRecord(channel, milliseconds.nullable()).describe("median time until the speaker answers"),
    })
    .nullable(),
  models: z.array(z.object({ task: z.enum(MODEL_TASKS), engine: z.string(), id: z.string(), revision: z.string() })),
  stages: z.array(stageSchema),
  warnings: z.array(z.string()),
});
export type WireAnalysis = z.infer<typeof analysisSchema>;

/** Writes an analysis as the wire has it. */
export function toWireAnalysis(result: AnalysisResult): WireAnalysis {
  const wire = toWireCase({
    ...result,
    // Analyses stored before there were answers have none.
    answers: result.answers ?? null,
    audio: result.audio === null ? null : { ...result.audio, gainDb: result.audio.channels.map(({ gainDb }) => gainDb) },
    transcript: result.transcript === null ? null : { text: transcriptText(result.transcript.segments), ...result.transcript },
    translation: result.translation === null ? null : { ...result.translation, text: result.translation.segments.map(({ text }) => text).join("\n") },
  });
  return wire as WireAnalysis;
}
