/**
 * What a model of several heads says of itself: which output is which head, and what its labels are. Read from `heads.json`,
 * or from the label files of the existing service's classifier, or, for a model of one head, from `config.json`.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PRIORITIES, type Priority } from "../../../core/case-classification.js";
import { AppError } from "../../../core/errors.js";
import { CASE_HEADS, HEADS_FILE, LABEL_FILE, SERVICE_LABEL_FILES } from "../../store/head-files.js";

/** Letters and digits only, in lower case: how the existing service's classifier was taught. */
const TEXT_FORMS = ["as_is", "lower_letters_digits"] as const;
export type TextForm = (typeof TEXT_FORMS)[number];

const label = z.string().min(1).max(200);
const labels = z.array(label).min(1).max(2_000);
const share = z.number().min(0).max(1);

const headSchema = z.strictObject({
  /** A head of a case classifier, or of a rubric. */
  head: z.string().min(1).max(100),
  /** Of the graph. */
  output: z.string().min(1),
  /** First of the output's columns that are this head's; default 0. */
  from: z.number().int().nonnegative().default(0),
  labels: z.union([labels, z.string().regex(LABEL_FILE)]),
  /** What the labels of a priority head mean here; without it only our own words count. */
  priorities: z.record(z.string(), z.enum(PRIORITIES)).optional(),
  /** Logits are divided by it: above 1 makes a model humbler. */
  temperature: z.number().positive().default(1),
  /** Below this score it abstains. */
  threshold: share.default(0.5),
  /** Of a long call, the parts that count: their mean, the first, the last, or the one in which it is most so. */
  judged_on: z.enum(["whole", "start", "end", "any"]).default("whole"),
});

const settingsSchema = z.strictObject({
  task: z.enum(["classification", "quality"]),
  text: z.enum(TEXT_FORMS).default("as_is"),
  heads: z.array(headSchema).min(1).max(50),
});

export interface HeadSettings extends Omit<z.infer<typeof headSchema>, "labels" | "priorities"> {
  readonly labels: readonly string[];
  readonly priorities: Readonly<Record<string, Priority>>;
}

export interface HeadsSettings {
  readonly task: "classification" | "quality";
  readonly text: TextForm;
  readonly heads: readonly HeadSettings[];
}

/** @returns undefined for a directory that tells of no heads. @throws AppError `MODEL_FILES_INVALID` saying what is wrong */
export async function readHeadsSettings(directory: string): Promise<HeadsSettings | undefined> {
  const told = await readJson(directory, HEADS_FILE);
  const json = told ?? (await serviceHeads(directory));
  if (json === undefined) return undefined;
  const parsed = settingsSchema.safeParse(json);
  if (!parsed.success) throw invalid(`its heads.json is not of the form that docs/models.md shows (${parsed.error.issues[0]?.path.join(".") ?? ""})`);
  const { task, text, heads } = parsed.data;
  if (task === "classification") refuseUnknownHeads(heads.map(({ head }) => head));
  return {
    ...{ task, text },
    heads: await Promise.all(
      heads.map(async ({ labels: named, priorities = {}, ...head }) => ({
        ...head,
        priorities,
        labels: typeof named === "string" ? await readLabelFile(directory, named) : named,
      })),
    ),
  };
}

/** What a label of a priority head means; undefined when the model's files do not say: a bare number has two meanings. */
export function priorityOf(name: string, { priorities }: Pick<HeadSettings, "priorities">): Priority | undefined {
  const word = name.trim().toLowerCase();
  return priorities[name] ?? (word === "urgent" ? "critical" : PRIORITIES.find((priority) => priority === word));
}

async function serviceHeads(directory: string): Promise<unknown> {
  const found = await Promise.all(
    Object.entries(SERVICE_LABEL_FILES).map(async ([name, { head, output }]) =>
      (await readJson(directory, name)) === undefined ? [] : [{ head, output, labels: name }],
    ),
  );
  const heads = found.flat();
  return heads.length === 0 ? undefined : { task: "classification", text: "lower_letters_digits", heads };
}

/** A list, or names by number, or numbers by name. */
async function readLabelFile(directory: string, name: string): Promise<readonly string[]> {
  const json = await readJson(directory, name);
  const entries = z.record(z.string(), z.union([z.string(), z.number().int()])).safeParse(json);
  const listed = Array.isArray(json) ? json : entries.success ? byNumber(entries.data) : undefined;
  const parsed = labels.safeParse(listed);
  if (!parsed.success) throw invalid(`${name} is not a list of labels`);
  return parsed.data;
}

function byNumber(entries: Readonly<Record<string, string | number>>): readonly string[] {
  return Object.entries(entries)
    .map(([key, value]) => (typeof value === "number" ? { id: value, name: key } : { id: Number(key), name: value }))
    .sort((one, other) => one.id - other.id)
    .map(({ name }) => name);
}

function refuseUnknownHeads(heads: readonly string[]): void {
  const unknown = heads.find((head) => !CASE_HEADS.some((known) => known === head));
  if (unknown !== undefined || new Set(heads).size < heads.length) throw invalid(`the heads of a classifier are ${CASE_HEADS.join(", ")}, each once at most`);
}

/** Undefined when there is no such file. */
async function readJson(directory: string, name: string): Promise<unknown> {
  const text = await readFile(join(directory, name), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw invalid(`${name} can't be read`);
  });
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    throw invalid(`${name} is no JSON`);
  }
}

function invalid(what: string): AppError {
  return new AppError("MODEL_FILES_INVALID", `The model's labels can't be read: ${what}.`);
}
