/** Questions to single models and their answers on the wire. Offsets are UTF-16 code units of the text sent, half-open. */
import { z } from "zod";
import { WORK_STATUSES } from "../../core/call.js";
import { CONTACT_TYPES, PRIORITIES } from "../../core/case-classification.js";
import { ENTITY_LABELS, type EntityLabel } from "../../core/entity.js";
import type { Evidence } from "../../core/evidence.js";
import { isLanguageTag } from "../../core/language.js";
import type { ModelAnswer, ModelAnswers } from "../../core/model-answer.js";
import { MODEL_TASKS } from "../../core/model-task.js";
import { QUALITY_MARKS } from "../../core/quality-score.js";
import { transcriptText } from "../../core/transcript.js";
import { toWireCase } from "../wire-case.js";
import { transcriptSchema } from "./analysis-schema.js";
import { engineSchema } from "./health-schema.js";
import { problemSchema } from "./problem-schema.js";

const MAX_TEXT = 200_000;
const text = z.string().max(MAX_TEXT).regex(/\S/, "must hold a word");
const language = z.string().refine(isLanguageTag, "must be a language tag such as sw or en");
const score = z.number().min(0).max(1);

export const translateBodySchema = z.object({ text, language: language.default("und").describe("of the text"), target_language: language.optional() });
export const extractBodySchema = z.object({ text, flat: z.boolean().default(true).describe("false: texts by label, without places and scores") });
export const classifyBodySchema = z
  .object({ text: text.optional(), narrative: text.optional().describe("as text; older clients call it so") })
  .refine((body) => body.text !== undefined || body.narrative !== undefined, { path: ["text"], message: "is missing" });
export const summarizeBodySchema = z.object({
  text,
  max_length: z.int().min(1).max(4_096).optional().describe("taken from older clients; the summary is as long as what there is to say"),
});
export const evaluateBodySchema = z
  .object({
    transcript: text.optional().describe("lines may begin with who speaks: 'Counsellor: ...', 'Caller: ...'"),
    text: text.optional().describe("as transcript"),
    threshold: score.optional().describe("taken from older clients; marks come with their score"),
    return_raw: z.boolean().optional().describe("taken from older clients"),
  })
  .refine((body) => body.text !== undefined || body.transcript !== undefined, { path: ["transcript"], message: "is missing" });
export const answerBodySchema = z
  .object({ question: z.string().max(500).regex(/\S/, "must hold a word"), context: text.optional(), call_id: z.string().max(128).optional() })
  .refine((body) => (body.context === undefined) !== (body.call_id === undefined), { path: ["context"], message: "give context or call_id, one of them" });

export const transcribeFormSchema = z.object({
  language: z
    .string()
    .refine((value) => value === "auto" || value === "" || isLanguageTag(value), "must be auto or a language tag such as sw or en")
    .transform((value) => (value === "" ? "auto" : value))
    .default("auto"),
});

export const waitQuerySchema = z.object({
  wait: z.coerce.number().int().min(0).max(60).default(0).describe("seconds to wait for the answer; 202 when it is not there by then"),
});

/** The shapes of the service this one replaces, for its clients. */
export const shapeQuerySchema = z.object({ shape: z.enum(["openchs"]).optional().describe("openchs: as the Python service answered") });

export const flatQuerySchema = shapeQuerySchema.extend({ flat: z.enum(["true", "false"]).default("true") });

const placeSchema = z.object({
  text: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  segment_id: z.string().optional().describe("of a call's transcript: offsets are into this segment"),
});
const decision = <Label extends z.ZodType>(label: Label) =>
  z.object({ label: label.nullable().describe("null: not enough evidence"), score, evidence: z.array(placeSchema) });
const model = z.object({ task: z.enum(MODEL_TASKS), engine: z.string(), id: z.string(), revision: z.string() });

export const modelResultSchema = z.union([
  z.object({ transcript: transcriptSchema, duration_ms: z.int(), warnings: z.array(z.string()), model }),
  z.object({ text: z.string(), language: z.string(), model }),
  z.object({ entities: z.array(z.object({ label: z.enum(ENTITY_LABELS), text: z.string(), start_offset: z.int(), end_offset: z.int(), score })), model }),
  z.object({ entities: z.partialRecord(z.enum(ENTITY_LABELS), z.array(z.string())), model }),
  z.object({
    contact_type: decision(z.enum(CONTACT_TYPES)),
    main_category: decision(z.string()),
    sub_category: decision(z.string()),
    intervention: decision(z.string()),
    priority: decision(z.enum(PRIORITIES)),
    model,
  }),
  z.object({ summary: z.string(), sentences: z.array(z.object({ text: z.string(), evidence: z.array(placeSchema) })), model }),
  z.object({
    heads: z.array(
      z.object({ head: z.string(), items: z.array(z.object({ item: z.string(), mark: z.enum(QUALITY_MARKS), score, evidence: z.array(placeSchema) })) }),
    ),
    model,
  }),
  z.object({ answer: z.string().nullable().describe("null: nothing in the text answers it"), score, evidence: z.array(placeSchema), model }),
]);
export type WireModelResult = z.infer<typeof modelResultSchema>;

export const modelTaskSchema = z.object({
  task_id: z.string(),
  status: z.enum(WORK_STATUSES),
  progress: z.int().min(0).max(100),
  result: modelResultSchema.optional(),
  error: problemSchema.optional(),
});

export const acceptedModelTaskSchema = z.object({ task_id: z.string(), status: z.enum(WORK_STATUSES), status_endpoint: z.string() });

export const modelInfoSchema = z.object({
  model: z.string(),
  status: z.enum(["ready", "missing"]).describe("missing: no engine installed does this"),
  engines: z.array(engineSchema),
});

export const languagesSchema = z.object({ items: z.array(z.object({ language: z.string(), name: z.string(), engines: z.array(z.string()) })) });

/** @param flat - entities one by one with their places, or texts by label. */
export function toWireModelResult(answered: ModelAnswer, flat: boolean): WireModelResult {
  const { model: madeBy } = answered;
  switch (answered.modelTask) {
    case "speech": {
      const { transcript, durationMs, warnings } = answered.answer;
      const wire = toWireCase({ text: transcriptText(transcript.segments), ...transcript }) as z.infer<typeof transcriptSchema>;
      return { transcript: wire, duration_ms: durationMs, warnings: [...warnings], model: madeBy };
    }
    case "translation":
      return { ...answered.answer, model: madeBy };
    case "entities":
      return { ...(flat ? { entities: flatEntities(answered.answer) } : { entities: entitiesByLabel(answered.answer) }), model: madeBy };
    case "summary": {
      const { text: summary, sentences } = answered.answer;
      return { summary, sentences: sentences.map((sentence) => ({ text: sentence.text, evidence: sentence.evidence.map(toPlace) })), model: madeBy };
    }
    case "quality": {
      const heads = answered.answer.heads.map(({ head, items }) => ({ head, items: items.map((item) => ({ ...item, evidence: item.evidence.map(toPlace) })) }));
      return { heads, model: madeBy };
    }
    case "classification": {
      const { contactType, mainCategory, subCategory, intervention, priority } = answered.answer;
      const decided = <Label extends string>({ label, score: howSure, evidence }: { label: Label | null; score: number; evidence: readonly Evidence[] }) => ({
        ...{ label, score: howSure },
        evidence: evidence.map(toPlace),
      });
      return {
        ...{ contact_type: decided(contactType), main_category: decided(mainCategory), sub_category: decided(subCategory) },
        ...{ intervention: decided(intervention), priority: decided(priority), model: madeBy },
      };
    }
    case "question_answering": {
      const { answer, score: howSure, evidence } = answered.answer;
      return { answer, score: howSure, evidence: evidence.map(toPlace), model: madeBy };
    }
  }
}

function toPlace({ text: words, startOffset, endOffset, segmentId }: Evidence) {
  return { text: words, start_offset: startOffset, end_offset: endOffset, ...(segmentId === "" ? {} : { segment_id: segmentId }) };
}

/** In order of place in the text. */
export function flatEntities(entities: ModelAnswers["entities"]) {
  return entities
    .flatMap(({ label, score: howSure, mentions }) => mentions.map((mention) => ({ label, ...toPlace(mention), score: howSure })))
    .sort((a, b) => a.start_offset - b.start_offset);
}

export function entitiesByLabel(entities: ModelAnswers["entities"]): Partial<Record<EntityLabel, string[]>> {
  const byLabel: Partial<Record<EntityLabel, string[]>> = {};
  for (const { label, text: words } of entities) byLabel[label] = [...(byLabel[label] ?? []), words];
  return byLabel;
}
