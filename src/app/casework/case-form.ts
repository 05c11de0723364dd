/** The standing questions of the case form: those that come with the package, or a helpline's own file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ANSWER_KINDS, type StandingQuestion } from "../../core/case/case-answer.js";
import { AppError } from "../../core/errors.js";
import { packageAssets } from "../paths.js";

const MAX_QUESTIONS = 30;

const questionSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, "must be small letters, digits and underscores, 40 at most"),
  kind: z.enum(ANSWER_KINDS).optional(),
  text: z
    .record(z.string().regex(/^[a-z]{2,3}$/), z.string().trim().min(1).max(300))
    .refine((text) => text["en"] !== undefined, "must have the question in en"),
});

const caseFormSchema = z.strictObject({
  id: z.string().min(1),
  version: z.int().min(1),
  questions: z
    .array(questionSchema)
    .max(MAX_QUESTIONS)
    .refine((questions) => new Set(questions.map(({ id }) => id)).size === questions.length, "must give every question an id of its own"),
});

/**
 * @param path - undefined: the form that comes with the package
 * @throws AppError `CONFIG_INVALID`, naming the rule that is broken and where in the file, and never what the file says
 */
export async function loadCaseForm(path?: string): Promise<readonly StandingQuestion[]> {
  const content = await readFile(path ?? join(packageAssets().languageData, "questions", "case-form.json"), "utf8").catch(() => {
    throw new AppError("CONFIG_INVALID", "CASE_FORM_FILE can't be read; check the path and who may read it.");
  });
  const parsed = caseFormSchema.safeParse(toJson(content));
  if (parsed.success) return parsed.data.questions.map(({ id, kind, text }) => ({ id, text, ...(kind === undefined ? {} : { kind }) }));
  const [issue] = parsed.error.issues;
  const rule = `${issue?.path.join(".") || "the file"}: ${issue?.message ?? "must match its schema"}`;
  throw new AppError("CONFIG_INVALID", `CASE_FORM_FILE is no case form: ${rule}. Compare it with data/questions/case-form.json.`, { details: { rule } });
}

function toJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
