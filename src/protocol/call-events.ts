/** Events of calls on the wire, in server-sent events and on WebSockets alike; docs/events.md is made from this table. */
import { z } from "zod";
import { ANALYSIS_STAGES, STAGE_STATUSES } from "../core/analysis-result.js";
import { CALL_SOURCES, PROCESSING_MODES } from "../core/call.js";
import { CALL_EVENT_TYPES, type CallEvent, type CallEventType, TRANSCRIPT_PASSES } from "../core/call-event.js";
import { CALL_END_REASONS, CALL_SESSION_STATES } from "../core/live-call.js";
import { RISK_KINDS } from "../core/risk.js";
import { CHANNELS } from "../core/transcript.js";
import { analysisSchema, segmentSchema } from "./http/analysis-schema.js";
import { liveAudioSchema } from "./http/live-schema.js";
import { toWireCase } from "./wire-case.js";

const taskId = z.string();
const milliseconds = z.int().min(0);
const part = analysisSchema.shape;

interface EventDefinition {
  readonly meaning: string;
  readonly payload: z.ZodObject;
}

/** What each type tells, and its payload. */
export const CALL_EVENTS: Readonly<Record<CallEventType, EventDefinition>> = {
  "call.started": {
    meaning: "The call exists: a recording was taken in, or the first audio came.",
    payload: z.object({ task_id: taskId, source: z.enum(CALL_SOURCES), mode: z.enum(PROCESSING_MODES).optional() }),
  },
  "segment.interim": {
    meaning: "Speech in progress, not settled. The next interim or final of the same segment replaces it; an empty text takes it back.",
    payload: z.object({
      ...{ task_id: taskId, segment_id: z.string(), channel: z.enum(CHANNELS), start_ms: milliseconds, end_ms: milliseconds },
      ...{ text: z.string(), language: z.string() },
      stable_length: z.int().min(0).describe("UTF-16 code units at the start of the text that are not expected to change"),
    }),
  },
  "segment.final": {
    meaning:
      "A stretch of speech with its words. A later event with the same segment id replaces it; the first of the pass `recording` replaces everything of the pass `live`.",
    payload: z.object({ task_id: taskId, pass: z.enum(TRANSCRIPT_PASSES), segment: segmentSchema }),
  },
  "translation.added": {
    meaning: "The transcript in another language.",
    payload: z.object({ task_id: taskId, translation: part.translation.unwrap().omit({ text: true }) }),
  },
  "entities.updated": {
    meaning: "All entities found so far; replaces what an earlier event told.",
    payload: z.object({ task_id: taskId, entities: part.entities.unwrap() }),
  },
  "classification.updated": {
    meaning: "What kind of case it is and how urgent; replaces what an earlier event told.",
    payload: z.object({ task_id: taskId, classification: part.classification.unwrap() }),
  },
  "risk.raised": {
    meaning: "One sign of danger, with the words it rests on. Once per kind; once more when the whole recording shows a higher level.",
    payload: z.object({
      task_id: taskId,
      finding: part.risk.unwrap().element,
      is_interim: z.boolean().describe("raised on speech in progress; only high and critical are"),
    }),
  },
  "risk.acknowledged": {
    meaning: "A person has seen the risk and taken it on.",
    payload: z.object({ task_id: taskId, kind: z.enum(RISK_KINDS), acknowledged_by: z.string().describe("id of the key or the token's subject, hashed") }),
  },
  "summary.updated": {
    meaning: "The summary so far; replaces what an earlier event told.",
    payload: z.object({ task_id: taskId, summary: part.summary.unwrap() }),
  },
  "answers.updated": {
    meaning: "The standing questions of the case form, answered; replaces what an earlier event told.",
    payload: z.object({ task_id: taskId, answers: part.answers.unwrap() }),
  },
  "quality.updated": {
    meaning: "The call-quality marks; replaces what an earlier event told.",
    payload: z.object({ task_id: taskId, quality: part.quality.unwrap() }),
  },
  "dtmf.received": {
    meaning: "A key of the telephone was pressed.",
    payload: z.object({ task_id: taskId, channel: z.enum(CHANNELS), digit: z.string(), at_ms: milliseconds }),
  },
  "call.paused": {
    meaning: "Nothing is stored or analysed from here on; what arrives is counted.",
    payload: z.object({ task_id: taskId, at_ms: milliseconds }),
  },
  "call.resumed": { meaning: "The call is heard again.", payload: z.object({ task_id: taskId, at_ms: milliseconds }) },
  "call.measured": {
    meaning: "Numbers of a call that runs: every ten seconds, and at its end.",
    payload: z.object({
      ...{ task_id: taskId, state: z.enum(CALL_SESSION_STATES), duration_ms: milliseconds },
      lag_ms: milliseconds.describe("how long the oldest finished speech waits for its text"),
      audio: liveAudioSchema,
      warnings: z.array(z.string()),
    }),
  },
  "call.ended": {
    meaning: "Nothing more is heard; the analysis of the whole call follows.",
    payload: z.object({ task_id: taskId, reason: z.enum(CALL_END_REASONS), duration_ms: milliseconds, audio: liveAudioSchema }),
  },
  "analysis.progressed": {
    meaning: "A stage of the analysis ended. A stage that failed may be tried again: then it is told of again.",
    payload: z.object({
      task_id: taskId,
      stage: z.enum(ANALYSIS_STAGES),
      status: z.enum(STAGE_STATUSES),
      progress: z.int().min(0).max(100).describe("of the whole task; never falls"),
      duration_ms: z.int().min(0),
      error_code: z.string().optional().describe("why the stage failed; docs/errors.md"),
    }),
  },
  "analysis.completed": {
    meaning: "The analysis is stored and complete. The last event of its task.",
    payload: z.object({ task_id: taskId, is_partial: z.boolean().describe("true when some stage failed") }),
  },
  "call.failed": {
    meaning: "The recording can't be analysed, or the task was cancelled. The last event of its task, unless an operator has it tried again.",
    payload: z.object({ task_id: taskId, status: z.enum(["failed", "cancelled"]), error_code: z.string() }),
  },
};

export const callEventSchema = z.object({
  seq: z.int().min(1).describe("1, 2, 3, ... per call, no gaps"),
  type: z.enum(CALL_EVENT_TYPES),
  call_id: z.string(),
  at: z.string(),
  payload: z.record(z.string(), z.unknown()),
});
export type WireCallEvent = z.infer<typeof callEventSchema>;

/** Writes an event as the wire has it. */
export function toWireEvent({ seq, type, callId, atMs, payload }: CallEvent): WireCallEvent {
  return { seq, type, call_id: callId, at: new Date(atMs).toISOString(), payload: toWireCase(payload) as Record<string, unknown> };
}
