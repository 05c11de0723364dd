/** Options that the commands on models share. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../app/paths.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { AppError } from "../../core/errors.js";
import { isLanguageTag } from "../../core/language.js";
import { type ModelCatalogue, readCatalogue } from "../../inference/store/model-catalogue.js";
import { DTYPES, type Dtype } from "../../inference/store/model-manifest.js";
import type { ModelFacts } from "../../inference/store/model-store.js";
import type { CliContext, CommonOptions } from "../context.js";

export interface InstallOptions extends CommonOptions {
  readonly id?: string;
  readonly dtype?: string;
  readonly languages?: string;
  readonly instruction?: string;
  readonly replace?: boolean;
  /** Fingerprint of a bundle's maker. */
  readonly signedBy?: string;
}

/** @throws AppError `CONFIG_INVALID` */
export function factsOf({ languages, instruction }: InstallOptions): Pick<ModelFacts, "languages" | "instruction"> {
  const tags = languages?.split(",").map((tag) => tag.trim());
  if (tags?.every(isLanguageTag) === false) throw new AppError("CONFIG_INVALID", "--languages must be tags with commas between, such as en,sw.");
  return { ...(tags === undefined ? {} : { languages: tags }), ...(instruction === undefined ? {} : { instruction }) };
}

/** @throws AppError `CONFIG_INVALID` */
export function dtypeOf({ dtype: text }: InstallOptions): Dtype | undefined {
  const dtype = DTYPES.find((known) => known === text);
  if (text !== undefined && dtype === undefined) throw new AppError("CONFIG_INVALID", `--dtype must be one of ${DTYPES.join(", ")}.`);
  return dtype;
}

/** Ours, and what the helpline adds under `catalogue/` beside its models. @throws AppError `CONFIG_INVALID` */
export function openCatalogue(modelsDirectory: string): Promise<ModelCatalogue> {
  return readCatalogue([join(packageRoot(), "models", "catalogue"), join(modelsDirectory, "catalogue")]);
}

/** Beside the models, out of their sight. */
export async function downloadDirectory(modelsDirectory: string): Promise<string> {
  const directory = join(modelsDirectory, ".downloads");
  await mkdir(directory, { recursive: true });
  return directory;
}

/** Aborted by Ctrl-C, with the reason to tell. */
export function stoppedByUser(reason: string): AbortSignal {
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort(new AppError("MODEL_CANCELLED", reason)));
  return stop.signal;
}

/** One line that shows how far it is; only to a person. */
export function progressLine({ isTerminal }: CliContext): { readonly show?: (path: string, done: number, total: number) => void; readonly end: () => void } {
  if (!isTerminal) return { end: () => {} };
  return {
    show: (path, done, total) => process.stderr.write(`\r\u001b[K${Math.floor((100 * done) / Math.max(1, total))}%  ${path}`),
    end: () => process.stderr.write("\r\u001b[K"),
  };
}

const MEGABYTE = 1e6;

export function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
