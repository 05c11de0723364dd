/** Recordings and their tasks on the wire. */
import { z } from "zod";
import { WORK_STATUSES } from "../../core/call.js";
import { isLanguageTag } from "../../core/language.js";
import { MODEL_TASKS } from "../../core/model-task.js";
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

/** Formats without a header, which the sender must name. */
export const rawFormatSchema = z.enum(["gsm", "slin", "slin16", "ulaw", "alaw"]).describe("gsm, slin, ulaw and alaw at 8000 Hz, slin16 at 16000 Hz; mono");

export const idempotencyHeaderSchema = z.object({
  "idempotency-key": z.string().min(1).max(255).optional().describe("chosen by the sender; an upload repeated under the same key is not taken in twice"),
});

export const acceptedSchema = z.object({
  task_id: z.string(),
  call_id: z.string(),
  status: z.enum(WORK_STATUSES).describe("queued, unless the upload was a repetition"),
  status_endpoint: z.string(),
});

const batchPlace = { position: z.int().min(0), file_name: z.string() };

export const acceptedBatchSchema = z.object({
  batch_id: z.string(),
  status_endpoint: z.string(),
  items: z.array(z.union([acceptedSchema.extend(batchPlace), z.object({ ...batchPlace, status: z.literal("refused"), error: problemSchema })])),
});

export const batchSchema = z.object({
  batch_id: z.string(),
  status: z.enum(["processing", "completed", "failed"]).describe("failed: not one file was analysed"),
  progress: z.int().min(0).max(100),
  items: z.array(
    z.object({
      position: z.int().min(0),
      status: z.enum([...WORK_STATUSES, "refused"]),
      progress: z.int().min(0).max(100),
      task_id: z.string().optional(),
      call_id: z.string().optional(),
      error: problemSchema.optional(),
    }),
  ),
});

const seq = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

export const eventQuerySchema = z.object({ after: seq.default(0).describe("events up to this number were seen already") });

export const lastEventHeaderSchema = z.object({ "last-event-id": seq.optional().describe("as after; goes before it") });

/** Pages of lists. */
export const pageQuerySchema = z.object({
  cursor: z.string().max(200).optional().describe("next_cursor of the page before"),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

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
  workers: z.array(
    z.object({
      name: z.string().describe("of the process's life; embedded in a service that is alone"),
      status: z
        .enum(["running", "draining", "stuck", "lost", "stopped"])
        .describe("stuck: alive, and its self-test fails; lost: silent for 10 s without having left, within the last hour"),
      queues: z.array(z.string()),
      concurrency: z.int(),
      device: z.enum(["cpu", "cuda"]).nullable(),
      model_processes: z.int(),
      model_requests_waiting: z.int(),
      engines: z.array(z.object({ task: z.enum(MODEL_TASKS), engine: z.string() })),
      self_test: z.object({ outcome: z.enum(["passed", "failed"]), at: z.string(), duration_ms: z.int() }).nullable(),
      started_at: z.string().nullable(),
    }),
  ),
});
