/** Models from the hub: one by its name there, one of the catalogue, or a profile of several. */
import { tryModel } from "../../app/try-model.js";
import { AppError } from "../../core/errors.js";
import { HubClient } from "../../inference/store/hub-client.js";
import { type CatalogueEntry, findInCatalogue } from "../../inference/store/model-catalogue.js";
import { type ModelPull, pullModel } from "../../inference/store/model-pull.js";
import { type InstalledModel, openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, configOf } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { downloadDirectory, dtypeOf, factsOf, type InstallOptions, openCatalogue, stoppedByUser } from "./model-options.js";
import { createPullBars } from "./pull-bars.js";

type Wanted = Pick<ModelPull, "repository" | "revision" | "id" | "dtype" | "facts" | "expected">;

/** @param name - `owner/name` with `@revision` for another than main, or a name of the catalogue */
export async function pullModels(context: CliContext, name: string, options: InstallOptions): Promise<number> {
  const { inference, hub } = configOf(context, options);
  if (hub.isOffline) throw new AppError("MODEL_HUB_REFUSED", "HF_HUB_OFFLINE is set: nothing is downloaded. Use 'openchs-ai models import'.");
  const pull = await createPull(context, options, inference.modelsDirectory);
  if (name.includes("/")) {
    const [repository = "", revision = "main"] = name.split("@");
    const { id } = options;
    const dtype = dtypeOf(options);
    const wanted = { repository, revision, facts: factsOf(options), ...(id === undefined ? {} : { id }), ...(dtype === undefined ? {} : { dtype }) };
    return tell(context, await pull(wanted));
  }
  const entries = findInCatalogue(await openCatalogue(inference.modelsDirectory), name);
  const known = new Set((await openModelStore(inference.modelsDirectory).list()).map(({ id }) => id));
  return pullEntries(context, entries, { pull, isInstalled: (id) => options.replace !== true && known.has(id) });
}

type Pull = (wanted: Wanted) => Promise<InstalledModel>;

async function createPull(context: CliContext, { replace }: InstallOptions, modelsDirectory: string): Promise<Pull> {
  const { endpoint, token } = configOf(context, {}).hub;
  const signal = stoppedByUser("Stopped; what came is kept, and the next pull goes on from there.");
  const hub = new HubClient({ endpoint, ...(token === undefined ? {} : { token }) });
  const parts = { hub, store: openModelStore(modelsDirectory), downloads: await downloadDirectory(modelsDirectory) };
  return async (wanted) => {
    const bars = context.isTerminal ? createPullBars() : undefined;
    try {
      return await pullModel(parts, {
        ...wanted,
        signal,
        isReplacing: replace === true,
        tryOut: tryModel,
        ...(bars === undefined ? {} : { onProgress: bars.show }),
      });
    } finally {
      bars?.stop();
    }
  };
}

/** One that can't be had does not stop the others. @throws what the only one failed with */
async function pullEntries(
  context: CliContext,
  entries: readonly CatalogueEntry[],
  { pull, isInstalled }: { readonly pull: Pull; readonly isInstalled: (id: string) => boolean },
): Promise<number> {
  const failures: AppError[] = [];
  for (const entry of entries) {
    if (isInstalled(entry.id)) {
      context.print(`${entry.id}: is installed`);
      continue;
    }
    try {
      const model = await pull(wantedOf(entry));
      tell(context, model);
      tellLicence(context, entry, model);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === "MODEL_CANCELLED") throw error;
      failures.push(error);
      if (entries.length > 1) context.printError(`${entry.id}: ${error.code}: ${error.safeMessage}`);
    }
  }
  const [failure] = failures;
  if (failure !== undefined && entries.length === 1) throw failure;
  return failures.length > 0 ? EXIT.partial : EXIT.done;
}

/** @throws AppError `MODEL_FILES_INVALID` for a model that must be converted first, saying how */
function wantedOf(entry: CatalogueEntry): Wanted {
  const { id, repository, revision, dtype, languages, licence, instruction, conversion, files } = entry;
  if (conversion !== undefined) throw new AppError("MODEL_FILES_INVALID", `${id} can't be pulled as it is. ${conversion}`);
  return {
    ...{ id, repository, revision, dtype },
    facts: { languages, licence, ...(instruction === undefined ? {} : { instruction }) },
    expected: files.map(({ path, size_bytes: sizeBytes, sha256 }) => ({ path, sizeBytes, sha256 })),
  };
}

function tell(context: CliContext, { id, task, engine, dtype, files, origin }: InstalledModel): number {
  context.print(`${id}: ${task} by ${engine}, ${dtype}, ${files.length} files, commit ${origin?.commit ?? ""}`);
  return EXIT.done;
}

function tellLicence(
  context: CliContext,
  { licence, commercial_use: mayUse, seen_revision: seen, verified }: CatalogueEntry,
  { origin }: InstalledModel,
): void {
  context.print(`  licence ${licence}${mayUse ? "" : ": NOT for commercial use"}`);
  if (seen !== undefined && origin?.commit.startsWith(seen) === false) context.print(`  newer than the catalogue, which knows ${seen}`);
  if (!verified) context.print("  nobody of openchs-ai has run these weights yet: listen to calls of your own before you rely on them");
}
