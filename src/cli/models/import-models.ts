/** Models from a directory or a bundle, and bundles of installed ones. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { tryModel } from "../../app/try-model.js";
import { AppError } from "../../core/errors.js";
import { fingerprintOf, openSigningKey } from "../../inference/store/bundle-signature.js";
import { readBundle, writeBundle } from "../../inference/store/model-bundle.js";
import { type InstalledModel, type ModelStore, openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, type CommonOptions, configOf } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { downloadDirectory, dtypeOf, factsOf, type InstallOptions, progressLine, stoppedByUser } from "./model-options.js";

/** @param source - a directory of one model, or a bundle */
export async function importModels(context: CliContext, source: string, options: InstallOptions): Promise<number> {
  const { modelsDirectory } = configOf(context, options).inference;
  const store = openModelStore(modelsDirectory);
  const isBundle = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  );
  const installed = isBundle
    ? await importBundle(context, store, source, { ...options, modelsDirectory })
    : [await importDirectory(context, store, source, options)];
  for (const { id, task, engine, dtype, files } of installed) context.print(`${id}: ${task} by ${engine}, ${dtype}, ${files.length} files`);
  return EXIT.done;
}

async function importDirectory(context: CliContext, store: ModelStore, directory: string, options: InstallOptions): Promise<InstalledModel> {
  const { id, replace } = options;
  const dtype = dtypeOf(options);
  const line = progressLine(context);
  try {
    return await store.import(directory, {
      signal: stoppedByUser("Stopped; nothing was installed."),
      isReplacing: replace === true,
      facts: factsOf(options),
      tryOut: tryModel,
      ...(id === undefined ? {} : { id }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(line.show === undefined ? {} : { onProgress: line.show }),
    });
  } finally {
    line.end();
  }
}

/** All of it is checked before the first model is installed; one that can't run here does not stop the others. */
async function importBundle(
  context: CliContext,
  store: ModelStore,
  path: string,
  { modelsDirectory, replace, signedBy }: InstallOptions & { readonly modelsDirectory: string },
): Promise<readonly InstalledModel[]> {
  const signal = stoppedByUser("Stopped; models that were named above are installed, and no others.");
  const unpacked = join(await downloadDirectory(modelsDirectory), `bundle-${randomUUID()}`);
  const line = progressLine(context);
  const installed: InstalledModel[] = [];
  const failures: AppError[] = [];
  try {
    for (const { manifest, directory } of await readBundle(path, unpacked, signedBy, {
      signal,
      ...(line.show === undefined ? {} : { onProgress: line.show }),
    })) {
      const { id, dtype, origin, languages, instruction, licence } = manifest;
      const facts = {
        ...(origin === undefined ? {} : { origin }),
        ...(languages === undefined ? {} : { languages }),
        ...(instruction === undefined ? {} : { instruction }),
        ...(licence === undefined ? {} : { licence }),
      };
      try {
        installed.push(await store.import(directory, { id, dtype, facts, signal, isReplacing: replace === true, tryOut: tryModel }));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        failures.push(error);
        context.printError(`${id}: ${error.code}: ${error.safeMessage}`);
      }
    }
  } finally {
    line.end();
    await rm(unpacked, { recursive: true, force: true });
  }
  const [failure] = failures;
  if (failure !== undefined && installed.length === 0) throw failure;
  return installed;
}

export interface ExportOptions extends CommonOptions {
  readonly output: string;
}

/** @param ids - none: all */
export async function exportModels(context: CliContext, ids: readonly string[], options: ExportOptions): Promise<number> {
  const { inference, dataDirectory } = configOf(context, options);
  const installed = await openModelStore(inference.modelsDirectory).list();
  const missing = ids.find((id) => !installed.some((model) => model.id === id));
  if (missing !== undefined) throw new AppError("MODEL_NOT_INSTALLED", "There is no installed model with this id; 'openchs-ai models list' shows them.");
  const chosen = ids.length === 0 ? installed : installed.filter(({ id }) => ids.includes(id));
  if (chosen.length === 0) throw new AppError("MODEL_NOT_INSTALLED", "No models are installed; there is nothing to export.");
  await mkdir(dataDirectory, { recursive: true });
  const key = await openSigningKey(join(dataDirectory, "bundle-signing.key"));
  const line = progressLine(context);
  try {
    const signal = stoppedByUser("Stopped; no bundle was written.");
    await writeBundle(resolve(options.output), chosen, key, { signal, ...(line.show === undefined ? {} : { onProgress: line.show }) });
  } finally {
    line.end();
  }
  for (const { id, licence } of chosen) context.print(`${id}${licence === undefined ? "" : ` (${licence})`}`);
  context.print(`signed by ${fingerprintOf(key)}; tell this to whoever imports it, another way than with the bundle`);
  return EXIT.done;
}
