/**
 * What the older Python service answered, written down from the description of it (existing-system.md 1.3, 1.5, 6) and
 * not from our own schemas: the test's idea of the contract.
 */
import { z } from "zod";

/** Unknown here and said so in the API page: null. */
const unknownHere = z.null();
const duration = z.number().min(0);

const stepSchema = z.looseObject({ duration, status: z.enum(["success", "failed", "skipped"]) });

export const qaScoresSchema = z.record(
  z.string(),
  z.array(z.strictObject({ submetric: z.string(), prediction: z.boolean(), score: z.enum(["✓", "✗"]), probability: z.number().min(0).max(1) })),
);

export const fullPayloadSchema = z.strictObject({
  audio_info: z.object({ filename: unknownHere, file_size_mb: unknownHere, language_specified: unknownHere, processing_time: duration }),
  transcript: z.string(),
  translation: z.string().nullable(),
  nlp_processing_info: z.strictObject({ text_used_for_nlp: z.enum(["translated_text", "original_transcript"]), nlp_text_length: z.number().int().min(0) }),
  entities: z.record(z.string().regex(/^[A-Z][A-Z_]*$/), z.array(z.string())),
  classification: z.object({
    main_category: z.string(),
    sub_category: z.string(),
    sub_category_2: unknownHere,
    intervention: z.string(),
    priority: z.string(),
    confidence: z.number().min(0).max(1),
    confidence_breakdown: z.record(z.string(), z.unknown()),
  }),
  qa_scores: qaScoresSchema,
  summary: z.string(),
  insights: z.record(z.string(), z.unknown()).nullable(),
  processing_steps: z.looseObject({
    transcription: stepSchema,
    translation: stepSchema,
    ner: stepSchema,
    classification: stepSchema,
    qa_scoring: stepSchema,
    summarization: stepSchema,
  }),
  pipeline_info: z.strictObject({
    total_time: duration,
    models_used: z.array(z.string()),
    text_flow: z.string(),
    timestamp: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
    processed_by: z.string(),
  }),
});
export type FullPayload = z.infer<typeof fullPayloadSchema>;

/** What each step that succeeded told of its output. */
export const STEP_COUNTS: Readonly<Record<string, string>> = {
  transcription: "output_length",
  ner: "entities_found",
  classification: "confidence",
  qa_scoring: "evaluations_count",
  summarization: "summary_length",
};

export const taskInWorkSchema = z.object({
  task_id: z.string(),
  status: z.enum(["queued", "processing"]),
  progress: z.number().int().min(0).max(100),
  message: z.string(),
});

export const completedTaskSchema = z.object({
  task_id: z.string(),
  status: z.literal("completed"),
  progress: z.literal(100),
  processing_time: duration,
  result: z.object({ status: z.string(), filename: unknownHere, result: fullPayloadSchema }),
});

/** Verbatim; section 6.1. The last is the eighth that one run had. */
export const MAIN_CATEGORIES = [
  ...["Advice and Counselling", "Child Maintenance & Custody", "Disability", "GBV", "Information", "Nutrition", "VANE", "Outside Mandate", "Unknown"],
];
export const INTERVENTIONS = ["Awareness/Information Provided", "Counselling", "Referral", "Signposting", "No intervention needed"];
/** Section 6.3. */
export const ENTITY_TYPES = ["NAME", "LOCATION", "VICTIM", "AGE", "GENDER", "INCIDENT_TYPE", "PERPETRATOR", "LANDMARK", "PHONE_NUMBER"];
/** Section 6.4. */
export const QUALITY_ITEMS: Readonly<Record<string, readonly string[]>> = {
  opening: ["Use of call opening phrase"],
  listening: [
    "Caller was not interrupted",
    "Empathizes with the caller",
    "Paraphrases or rephrases the issue",
    "Uses 'please' and 'thank you'",
    "Does not hesitate or sound unsure",
  ],
  proactiveness: ["Willing to solve extra issues", "Confirms satisfaction with action points", "Follows up on case updates"],
  resolution: ["Gives accurate information", "Correct language use", "Consults if unsure", "Follows correct steps", "Explains solution process clearly"],
  hold: ["Explains before placing on hold", "Thanks caller for holding"],
  closing: ["Proper call closing phrase used"],
};
