/** Models that are worth a look, with what is known of each, and sets of them for a kind of machine. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { AppError } from "../../core/errors.js";
import { isLanguageTag } from "../../core/language.js";
import { MODEL_TASKS } from "../../core/model-task.js";
import { DTYPES, type Dtype, MODEL_ENGINES, MODEL_FILE_PATH, MODEL_ID } from "./model-manifest.js";

const fileSchema = z.strictObject({
  path: z.string().regex(MODEL_FILE_PATH),
  size_bytes: z.int().positive().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

const entrySchema = z.strictObject({
  id: z.string().regex(MODEL_ID),
  task: z.enum(MODEL_TASKS),
  engine: z.enum(MODEL_ENGINES),
  repository: z.string().regex(/^[\w.-]{1,96}\/[\w.-]{1,96}$/),
  /** A commit; `main` where only its beginning is known. */
  revision: z.union([z.string().regex(/^[0-9a-f]{40}$/), z.literal("main")]),
  /** Beginning of the commit that the figures are of. */
  seen_revision: z
    .string()
    .regex(/^[0-9a-f]{7,40}$/)
    .optional(),
  dtype: z.enum(DTYPES as [Dtype, ...Dtype[]]),
  /** Its graphs, with size and hash where they are known: what comes must be that. */
  files: z.array(fileSchema),
  /** True once somebody of us has pulled and run it. */
  verified: z.boolean(),
  languages: z.array(z.string().refine(isLanguageTag)).min(1),
  licence: z.string().min(1),
  commercial_use: z.boolean(),
  memory_mb: z.int().positive(),
  notes: z.string(),
  /** Stands before a text that it summarizes. */
  instruction: z.string().max(500).optional(),
  /** How to make files of it that can be imported: it can't be pulled. */
  conversion: z.string().optional(),
});
export type CatalogueEntry = Readonly<z.infer<typeof entrySchema>>;

const catalogueSchema = z.strictObject({
  models: z.array(entrySchema),
  profiles: z.record(z.string().regex(MODEL_ID), z.strictObject({ purpose: z.string(), models: z.array(z.string()).min(1) })).default({}),
});

export interface ModelProfile {
  readonly name: string;
  readonly purpose: string;
  readonly models: readonly CatalogueEntry[];
}

export interface ModelCatalogue {
  readonly entries: readonly CatalogueEntry[];
  readonly profiles: readonly ModelProfile[];
}

/**
 * Reads every `*.json` of the directories, in order; what a later one names again takes the place of the earlier.
 *
 * @param directories - need not exist.
 * @throws AppError `CONFIG_INVALID`, naming the file and the place in it
 */
export async function readCatalogue(directories: readonly string[]): Promise<ModelCatalogue> {
  const entries = new Map<string, CatalogueEntry>();
  const profiles = new Map<string, { readonly purpose: string; readonly models: readonly string[]; readonly file: string }>();
  for (const directory of directories) {
    const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith(".json")).sort();
    for (const name of names) {
      const file = await readCatalogueFile(join(directory, name));
      for (const entry of file.models) entries.set(entry.id, entry);
      for (const [profile, named] of Object.entries(file.profiles)) profiles.set(profile, { ...named, file: name });
    }
  }
  return {
    entries: [...entries.values()],
    profiles: [...profiles].map(([name, { purpose, models, file }]) => ({
      ...{ name, purpose },
      models: models.map((id) => {
        const entry = entries.get(id);
        if (entry === undefined) throw invalid(file, `profile ${name} names ${id}, which no catalogue has`);
        return entry;
      }),
    })),
  };
}

/** The models of a profile, or the one of this id. @throws AppError `MODEL_NOT_INSTALLED` for a name that is neither */
export function findInCatalogue({ entries, profiles }: ModelCatalogue, name: string): readonly CatalogueEntry[] {
  const found = profiles.find((profile) => profile.name === name)?.models ?? entries.filter(({ id }) => id === name);
  if (found.length > 0) return found;
  const names = [...profiles.map((profile) => profile.name), ...entries.map(({ id }) => id)];
  throw new AppError("MODEL_NOT_INSTALLED", `No catalogue has this name; it has ${names.join(", ")}. A model of the hub is named owner/name.`);
}

async function readCatalogueFile(path: string): Promise<z.infer<typeof catalogueSchema>> {
  const text = await readFile(path, "utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(basename(path), "it is no JSON");
  }
  const parsed = catalogueSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw invalid(basename(path), `${parsed.error.issues[0]?.path.join(".") ?? "something"} is not what docs/models.md says`);
}

function invalid(file: string, what: string): AppError {
  return new AppError("CONFIG_INVALID", `The catalogue ${file} can't be used: ${what}.`);
}
