/** Calls that run, on the wire: their state and numbers, and what may be told to them. */
import { z } from "zod";
import { PROCESSING_MODES } from "../../core/call.js";
import { CALL_ID_PATTERN } from "../../core/ids.js";
import { isLanguageTag } from "../../core/language.js";
import { CALL_SESSION_STATES, type LiveCallStatus } from "../../core/live-call.js";
import { RISK_KINDS } from "../../core/risk.js";
import { CHANNELS } from "../../core/transcript.js";
import { toWireCase } from "../wire-case.js";
import { ledgerSchema } from "./analysis-schema.js";

const milliseconds = z.int().min(0);
const liveLedgerSchema = ledgerSchema.extend({ pending_ms: milliseconds.describe("speech whose text is still to come") });

export const liveAudioSchema = z.object({
  channels: z.array(z.object({ channel: z.enum(CHANNELS), ledger: liveLedgerSchema })),
  ledger: liveLedgerSchema.describe("all but gap_ms add up to the milliseconds received"),
});

const legSchema = z.object({ stream_id: z.string(), channel: z.enum(CHANNELS) });

export const liveCallSchema = z.object({
  call_id: z.string(),
  task_id: z.string(),
  state: z.enum(CALL_SESSION_STATES),
  started_at: z.string(),
  duration_ms: milliseconds,
  mode: z.enum(PROCESSING_MODES),
  agent_id: z.string().optional(),
  legs: z.array(legSchema),
  languages: z.array(z.string()),
  lag_ms: milliseconds.describe("how long the oldest finished speech waits for its text"),
  risk_kinds: z.array(z.enum(RISK_KINDS)),
  segment_count: milliseconds,
  audio: liveAudioSchema,
  warnings: z.array(z.string()),
});
export const liveCallsSchema = z.object({ items: z.array(liveCallSchema) });

export const liveStatisticsSchema = z.object({
  active_calls: milliseconds,
  streams: milliseconds,
  received_ms: milliseconds,
  segments: milliseconds,
  lag_ms_max: milliseconds,
});

export const liveStateSchema = z.object({ call_id: z.string(), state: z.enum(CALL_SESSION_STATES) });

const callIdSchema = z.string().regex(CALL_ID_PATTERN);
const idSchema = z.string().min(1).max(64);

export const callLegsSchema = z.object({
  call_id: callIdSchema,
  legs: z
    .array(z.object({ stream_id: callIdSchema.transform((streamId) => streamId.toLowerCase()), channel: z.enum(["caller", "agent"]) }))
    .min(1)
    .max(2),
  agent_id: idSchema.optional(),
  extension: idSchema.optional(),
  queue: idSchema.optional(),
  direction: z.enum(["inbound", "outbound", "unknown"]).optional(),
  external_id: idSchema.optional(),
  mode: z.enum(PROCESSING_MODES).optional(),
  language: z
    .string()
    .refine((tag) => tag === "auto" || isLanguageTag(tag))
    .optional(),
});

export const riskParametersSchema = z.object({ id: z.string().max(128), kind: z.enum(RISK_KINDS) });
export const acknowledgedRiskSchema = z.object({ call_id: z.string(), kind: z.enum(RISK_KINDS), acknowledged_at: z.string(), acknowledged_by: z.string() });

export const ticketSchema = z.object({ ticket: z.string(), expires_at: z.string() });

/** Writes a snapshot as the wire has it. */
export function toWireLiveCall({ startedAtMs, ...status }: LiveCallStatus): z.infer<typeof liveCallSchema> {
  return { ...(toWireCase(status) as Omit<z.infer<typeof liveCallSchema>, "started_at">), started_at: new Date(startedAtMs).toISOString() };
}
