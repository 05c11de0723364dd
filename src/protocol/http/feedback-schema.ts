/** Feedback on the wire: ours, and the rows of the service this one replaces. */
import { z } from "zod";
import { type AgentFeedback, FEEDBACK_TASKS } from "../../core/agent-feedback.js";
import { MODEL_TASKS } from "../../core/model-task.js";
import { toWireCase } from "../wire-case.js";

const rating = z.int().min(1).max(5).describe("1: wrong, 5: right");
const words = z.string().max(10_000);
const task = z.enum(FEEDBACK_TASKS);

export const newFeedbackSchema = z
  .object({
    call_id: z.string().max(128),
    task_id: z.string().max(64).optional().describe("the call's newest analysis when left out"),
    task,
    item: z.string().min(1).max(160).optional().describe("part of the result; the whole when left out (docs/feedback.md)"),
    rating: rating.optional(),
    reason: words.optional(),
    correction: z
      .object({ label: z.string().max(128).optional(), text: words.optional() })
      .refine(({ label, text }) => label !== undefined || text !== undefined, "give a label or a text")
      .optional(),
  })
  .refine((body) => body.rating !== undefined || body.correction !== undefined, { path: ["rating"], message: "give a rating or a correction" });

export const feedbackSchema = z.object({
  feedback_id: z.string(),
  call_id: z.string(),
  task_id: z.string(),
  task,
  item: z.string().nullable(),
  rating: rating.nullable(),
  reason: z.string().nullable(),
  correction: z.object({ label: z.string().optional(), text: z.string().optional() }).nullable(),
  predicted_label: z.string().nullable(),
  predicted_text: z.string().nullable(),
  agrees: z.boolean().nullable().describe("whether the model was right; null: not said"),
  model: z.object({ task: z.enum(MODEL_TASKS), engine: z.string(), id: z.string(), revision: z.string() }),
  actor_id: z.string(),
  created_at: z.string(),
});
export type WireFeedback = z.infer<typeof feedbackSchema>;

/** Writes feedback as the wire has it. */
export function toWireFeedback({ createdAtMs, ...feedback }: AgentFeedback): WireFeedback {
  return { ...(toWireCase(feedback) as Omit<WireFeedback, "created_at">), created_at: new Date(createdAtMs).toISOString() };
}

export const feedbackListQuerySchema = z.object({ call_id: z.string().max(128), task: task.optional() });
export const feedbackListSchema = z.object({ items: z.array(feedbackSchema), next_cursor: z.null() });

const share = z.number().min(0).max(1).nullable();
const judgement = { count: z.int(), average_rating: z.number().nullable(), agreement: share.describe("share of verdicts that say the model was right") };

export const feedbackStatisticsSchema = z.object({
  period_days: z.int(),
  tasks: z.partialRecord(
    task,
    z.object({
      ...judgement,
      total_predictions: z.int(),
      rated_predictions: z.int(),
      rating_coverage: share,
      min_rating: z.int().nullable(),
      max_rating: z.int().nullable(),
      corrections: z.int(),
      labels: z.array(z.object({ label: z.string(), ...judgement })),
      models: z.array(z.object({ model: z.string(), revision: z.string(), ...judgement })),
    }),
  ),
});

export const feedbackPeriodSchema = z.object({ days: z.coerce.number().int().min(1).max(3_650).default(30) });

/** What older clients send. */
export const openchsFeedbackBodySchema = z.object({
  call_id: z.string().max(128),
  task: z.enum([...FEEDBACK_TASKS, "insights"]),
  feedback: rating,
  reason: words.optional(),
});

export const openchsFeedbackSchema = z.object({
  id: z.string(),
  call_id: z.string(),
  task,
  prediction: z.object({ label: z.string().nullable(), text: z.string().nullable() }),
  feedback: rating.nullable(),
  reason: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  processing_mode: z.literal("post_call"),
  model_version: z.string(),
});

/** The row an older client reads. */
export function toOpenchsFeedback(feedback: AgentFeedback): z.infer<typeof openchsFeedbackSchema> {
  const at = new Date(feedback.createdAtMs).toISOString();
  return {
    ...{ id: feedback.feedbackId, call_id: feedback.callId, task: feedback.task },
    prediction: { label: feedback.predictedLabel, text: feedback.predictedText },
    ...{ feedback: feedback.rating, reason: feedback.reason, created_at: at, updated_at: at },
    ...{ processing_mode: "post_call", model_version: feedback.model.revision },
  };
}
