/** What is written beside an installed model's files: where they came from and what each must be. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { isLanguageTag } from "../../core/language.js";
import { MODEL_TASKS } from "../../core/model-task.js";

export const MODEL_ENGINES = ["whisper", "seq2seq", "token-classification", "text-classification", "zero-shot", "question-answering"] as const;
export type InstalledEngine = (typeof MODEL_ENGINES)[number];

/** How weights are stored, by the names of the hub, and how their graphs' names end. In order of preference on a CPU. */
export const DTYPE_SUFFIXES = {
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  fp32: "",
  fp16: "_fp16",
  q4f16: "_q4f16",
} as const;
export type Dtype = keyof typeof DTYPE_SUFFIXES;
export const DTYPES = Object.keys(DTYPE_SUFFIXES) as readonly Dtype[];

/** Relative, with `/`; below the model's directory. */
export const MODEL_FILE_PATH = /^(?!\/)(?!.*\.\.)[\w.\-/]+$/;

const modelFileSchema = z.object({
  path: z.string().regex(MODEL_FILE_PATH),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ModelFile = z.infer<typeof modelFileSchema>;

export const MODEL_ID = /^[a-z0-9][a-z0-9._-]{0,99}$/;

export const modelManifestSchema = z.object({
  format: z.literal(1),
  id: z.string().regex(MODEL_ID),
  task: z.enum(MODEL_TASKS),
  engine: z.enum(MODEL_ENGINES),
  dtype: z.enum(DTYPES as [Dtype, ...Dtype[]]),
  importedAt: z.iso.datetime(),
  /** On the hub; absent for one that was imported from a directory. */
  origin: z.object({ repository: z.string(), commit: z.string() }).optional(),
  /** Of the texts it was taught with, where a person or a catalogue has told. */
  languages: z.array(z.string().refine(isLanguageTag)).min(1).optional(),
  /** Stands before a text that a model shall summarize. */
  instruction: z.string().max(500).optional(),
  /** As the catalogue names it, such as `apache-2.0`. */
  licence: z.string().optional(),
  files: z.array(modelFileSchema).min(1),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;

/** Names the model and these very weights; another file gives another revision. */
export function modelRevision({ id, files }: Pick<ModelManifest, "id" | "files">): string {
  const hash = createHash("sha256");
  for (const { path, sha256 } of [...files].sort((one, other) => (one.path < other.path ? -1 : 1))) hash.update(`${sha256}  ${path}\n`);
  return `${id}-${hash.digest("hex").slice(0, 12)}`;
}
