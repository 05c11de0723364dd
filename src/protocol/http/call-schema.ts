/** Calls on the wire: the record, lists, transcript, segments, export. Times are UTC, ISO 8601. */
import { z } from "zod";
import { CALL_SOURCES, type CallRecord, PROCESSING_MODES, WORK_STATUSES } from "../../core/call.js";
import type { CallFilter } from "../../core/call-filter.js";
import { isLanguageTag } from "../../core/language.js";
import { CHANNELS } from "../../core/transcript.js";
import { toWireCase } from "../wire-case.js";
import { analysisSchema, segmentSchema } from "./analysis-schema.js";
import { pageQuerySchema } from "./recording-schema.js";

export const callSchema = z.object({
  call_id: z.string(),
  external_id: z.string().optional(),
  source: z.enum(CALL_SOURCES),
  direction: z.enum(["inbound", "outbound", "unknown"]),
  status: z.enum(WORK_STATUSES),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  duration_ms: z.int().nullable(),
  legs: z.array(z.object({ stream_id: z.string(), channel: z.enum(CHANNELS) })),
  agent_id: z.string().optional(),
  extension: z.string().optional(),
  queue: z.string().optional(),
  languages: z.array(z.string()),
  mode: z.enum(PROCESSING_MODES),
  legal_hold: z.boolean(),
});
export type WireCall = z.infer<typeof callSchema>;

/** Writes a call as the wire has it. */
export function toWireCall({ startedAtMs, endedAtMs, ...call }: CallRecord): WireCall {
  const times = { started_at: new Date(startedAtMs).toISOString(), ended_at: endedAtMs === null ? null : new Date(endedAtMs).toISOString() };
  return { ...(toWireCase(call) as Omit<WireCall, "started_at" | "ended_at">), ...times };
}

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const callFilterShape = {
  status: z.enum(WORK_STATUSES).optional(),
  source: z.enum(CALL_SOURCES).optional().describe("synthetic calls, the service's own, are left out unless asked for"),
  language: z.string().refine(isLanguageTag).optional().describe("a language spoken on the call"),
  agent_id: z.string().max(64).optional(),
  started_from: instant.optional().describe("inclusive"),
  started_before: instant.optional().describe("exclusive"),
};

/** Reads the filter of a list or a search. */
export function toCallFilter(wire: z.infer<z.ZodObject<typeof callFilterShape>>): CallFilter {
  const { status, source, language, agent_id, started_from, started_before } = wire;
  return {
    ...(status === undefined ? {} : { status }),
    ...(source === undefined ? {} : { source }),
    ...(language === undefined ? {} : { language }),
    ...(agent_id === undefined ? {} : { agentId: agent_id }),
    ...(started_from === undefined ? {} : { startedFromMs: started_from }),
    ...(started_before === undefined ? {} : { startedBeforeMs: started_before }),
  };
}

export const callListQuerySchema = pageQuerySchema.extend(callFilterShape);

export const callPageSchema = z.object({ items: z.array(callSchema), next_cursor: z.string().nullable() });

export const callSearchSchema = z.object({
  text: z.string().max(500).describe("words that were all said in a call; shul* takes every word that begins so, of 3 to 6 letters"),
  ...callFilterShape,
  cursor: z.string().max(200).optional().describe("next_cursor of the page before"),
  limit: z.int().min(1).max(100).default(20),
});

export const foundCallsSchema = z.object({
  items: z.array(
    z.object({
      call: callSchema,
      passages: z.array(z.object({ start_ms: z.int(), text: z.string() })).describe("the first lines with one of the words, masked"),
    }),
  ),
  next_cursor: z.string().nullable(),
});

export const callParametersSchema = z.object({ id: z.string().max(128) });

/** A flag of a query, as the words clients write. */
export const flagSchema = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");

export const callTranscriptSchema = z.object({
  call_id: z.string(),
  status: z.enum(WORK_STATUSES),
  transcript: z.string().nullable().describe("null: nothing was transcribed, or not yet"),
  language: z.string().nullable(),
  low_quality: z.boolean().nullable(),
  duration_ms: z.int().nullable(),
  segments: z.array(segmentSchema).optional(),
});

export const callSegmentsSchema = z.object({ items: z.array(segmentSchema), next_cursor: z.string().nullable() });

export const callExportSchema = z.object({
  exported_at: z.string(),
  text: z.enum(["clear", "masked"]).describe("masked: names, numbers and places below the district are replaced in every text"),
  call: callSchema,
  analysis: analysisSchema,
  classification_mappings: z
    .array(
      z.object({
        to: z.string().describe("whose list of categories, such as child-helpline-international"),
        category: z.string().nullable().describe("what the sub-category is there; null: no counterpart, or nothing to map"),
        certain: z.boolean().describe("false: nobody has checked the mapping against that list"),
      }),
    )
    .describe("the classification in other lists, as the taxonomy in force maps it"),
});
