/** What is installed, what could be, and whether the files are what they were. */
import { type ModelStore, openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, type CommonOptions, configOf } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { megabytes, openCatalogue } from "./model-options.js";

export interface ListOptions extends CommonOptions {
  readonly available?: boolean;
}

export async function listModels(context: CliContext, options: ListOptions): Promise<number> {
  const { modelsDirectory } = configOf(context, options).inference;
  if (options.available === true) return listAvailable(context, modelsDirectory);
  const installed = await openModelStore(modelsDirectory).list();
  for (const { id, task, engine, dtype, files, licence = "" } of installed) {
    const size = megabytes(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    context.print(`${id.padEnd(32)} ${task.padEnd(18)} ${engine.padEnd(22)} ${dtype.padEnd(5)} ${size.padStart(11)}  ${licence}`.trimEnd());
  }
  if (installed.length === 0)
    context.printError("No models are installed; 'openchs-ai models list --available' shows what there is, 'openchs-ai models import DIRECTORY' installs one.");
  return EXIT.done;
}

async function listAvailable(context: CliContext, modelsDirectory: string): Promise<number> {
  const { entries, profiles } = await openCatalogue(modelsDirectory);
  for (const { name, purpose, models } of profiles) context.print(`${name.padEnd(26)} ${purpose}: ${models.map(({ id }) => id).join(", ")}`);
  context.print("");
  for (const entry of entries) {
    const { id, task, languages, licence, commercial_use: mayUse, memory_mb: memory, verified, conversion, notes } = entry;
    const marks = [
      ...(mayUse ? [] : ["NOT for commercial use"]),
      ...(conversion === undefined ? [] : ["must be converted first"]),
      ...(verified ? [] : ["never run by us"]),
    ];
    context.print(`${id.padEnd(26)} ${task.padEnd(18)} ${String(memory).padStart(5)} MB of memory  ${licence.padEnd(13)} ${languages.join(",")}`);
    context.print(`${" ".repeat(27)}${[...marks, notes].join("; ")}`);
  }
  return EXIT.done;
}

/** @returns 4 when a file is missing or changed */
export async function verifyModels(context: CliContext, store: ModelStore, id: string | undefined): Promise<number> {
  const ids = id === undefined ? (await store.list()).map((model) => model.id) : [id];
  let hasProblem = false;
  for (const each of ids) {
    const { problems } = await store.verify(each);
    hasProblem ||= problems.length > 0;
    context.print(problems.length === 0 ? `${each}: ok` : `${each}: ${problems.map(({ path, problem }) => `${path} ${problem}`).join(", ")}`);
  }
  return hasProblem ? EXIT.partial : EXIT.done;
}
