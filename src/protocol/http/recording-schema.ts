/** Recordings and their tasks on the wire. */
import { z } from "zod";
import { WORK_STATUSES } from "../../core/call.js";
import { isLanguageTag } from "../../core/language.js";
import { analysisSchema, stageSchema } from "./analysis-schema.js";
import { problemSchema } from "./problem-schema.js";

const formBoolean = z.enum(["true", "false", "1", "0", "yes", "no"]).transform((value) => ["true", "1", "yes"].includes(value));

/** Text fields of the upload form; the audio itself is the file field `audio` (or `file`). */
export const recordingFormSchema = z.object({
  language: z
    .string()
    .refine((value) => value === "auto" || value === "" || isLanguageTag(value), "must be auto or a language tag such as sw or en")
    .transform((value) => (value === "" ? "auto" : value))
    .default("auto"),
  include_translation: formBoolean.default(true),
  include_insights: formBoolean.default(true).describe("taken from older clients; every analysis has its risk and summary"),
  call_id: z
    .string()
    .transform((value) => value.toLowerCase())
    .pipe(z.uuid())
    .optional(),
});

export const acceptedSchema = z.object({ task_id: z.string(), call_id: z.string(), status: z.literal("queued"), status_endpoint: z.string() });

export const taskParametersSchema = z.object({ id: z.string().max(64) });

export const taskSchema = z.object({
  task_id: z.string(),
  call_id: z.string(),
  status: z.enum(WORK_STATUSES),
  progress: z.int().min(0).max(100),
  current_step: z.string(),
  stages: z.array(stageSchema.omit({ error: true })),
  result: analysisSchema.optional(),
  error: problemSchema.optional(),
});

export const activeTasksSchema = z.object({
  items: z.array(taskSchema.omit({ stages: true, result: true })),
  next_cursor: z.string().nullable(),
});

export const cancelledSchema = z.object({ task_id: z.string(), status: z.enum(["cancelled", "cancelling", "finished"]) });

export const queueStatusSchema = z.object({
  queues: z.array(
    z.object({ queue: z.string(), queued: z.int(), delayed: z.int(), processing: z.int(), completed: z.int(), failed: z.int(), cancelled: z.int() }),
  ),
});

export const workersStatusSchema = z.object({
  workers: z.array(z.object({ name: z.string(), status: z.enum(["running", "stopped"]), queues: z.array(z.string()), concurrency: z.int() })),
});
