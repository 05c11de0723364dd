/** Files in which a model of several heads names its labels. */
import { z } from "zod";

/** Ours: what a model does, and which output is which head. */
export const HEADS_FILE = "heads.json";

export const CASE_HEADS = ["main_category", "sub_category", "intervention", "priority"] as const;
export type CaseHead = (typeof CASE_HEADS)[number];

/** Of the existing service's classifier: its label files, and the outputs that its conversion gives them. */
export const SERVICE_LABEL_FILES: Readonly<Record<string, { readonly head: CaseHead; readonly output: string }>> = {
  "main_categories.json": { head: "main_category", output: "logits_main" },
  "sub_categories.json": { head: "sub_category", output: "logits_sub" },
  "interventions.json": { head: "intervention", output: "logits_interv" },
  "priorities.json": { head: "priority", output: "logits_priority" },
};

/** A JSON file beside `config.json`. */
export const LABEL_FILE = /^[\w.-]+\.json$/;

const taskSchema = z.looseObject({
  task: z.enum(["classification", "quality"]),
  heads: z.array(z.looseObject({ labels: z.union([z.string().regex(LABEL_FILE), z.array(z.string())]) })),
});

/** What a `heads.json` is for, and the files of labels that it names; undefined for another JSON. */
export function headsOf(json: unknown): { readonly task: "classification" | "quality"; readonly labelFiles: readonly string[] } | undefined {
  const parsed = taskSchema.safeParse(json);
  if (!parsed.success) return undefined;
  return { task: parsed.data.task, labelFiles: parsed.data.heads.flatMap(({ labels }) => (typeof labels === "string" ? [labels] : [])) };
}
