/** `models`: install, list, check, pack and remove models. */
import type { Command } from "commander";
import { DTYPES } from "../../inference/store/model-manifest.js";
import { openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { type ExportOptions, exportModels, importModels } from "../models/import-models.js";
import { type ListOptions, listModels, verifyModels } from "../models/list-models.js";
import type { InstallOptions } from "../models/model-options.js";
import { pullModels } from "../models/pull-models.js";

export function addModelsCommand(program: Command, context: CliContext): void {
  const models = program.command("models").description("models on this machine: list, pull, import, export, verify, remove");
  addInstallCommands(models, context);
  const storeOf = (options: CommonOptions) => openModelStore(configOf(context, options).inference.modelsDirectory);
  command(models, "list")
    .description("newest first")
    .option("--available", "what the catalogue has, with its profiles")
    .action((options: ListOptions) => runCommand(context, options, () => listModels(context, options)));
  command(models, "export")
    .argument("[ids...]", "default: all")
    .description("pack models into one signed file, to carry to where there is no network")
    .requiredOption("--output <file>", "the bundle")
    .action((ids: readonly string[], options: ExportOptions) => runCommand(context, options, () => exportModels(context, ids, options)));
  command(models, "verify")
    .argument("[id]", "default: all")
    .description("hash every file again; exit 4 when one is missing or changed")
    .action((id: string | undefined, options: CommonOptions) => runCommand(context, options, () => verifyModels(context, storeOf(options), id)));
  command(models, "remove")
    .argument("<id>")
    .description("remove a model and its files")
    .action((id: string, options: CommonOptions) =>
      runCommand(context, options, async () => {
        await storeOf(options).remove(id);
        return EXIT.done;
      }),
    );
}

function addInstallCommands(models: Command, context: CliContext): void {
  const install = (name: string): Command =>
    command(models, name)
      .option("--id <id>", "its name here; default: its name there")
      .option("--dtype <type>", `how its weights are stored: ${DTYPES.join(", ")}; default: the first that is there`)
      .option("--languages <tags>", "of the texts it was taught with, such as en,sw; default: any")
      .option("--instruction <text>", "stands before a text that it shall summarize; default: what its files say")
      .option("--replace", "take the place of an installed model with this id");
  install("import")
    .argument("<source>", "a directory with config.json, tokenizer.json, onnx/ and so on as the hub has them, or a bundle")
    .description("install a model from a directory, or models from a bundle; a service that runs uses them after its next start")
    .option("--signed-by <fingerprint>", "who made the bundle: what 'models export' told there")
    .action((source: string, options: InstallOptions) => runCommand(context, options, () => importModels(context, source, options)));
  install("pull")
    .argument("<model>", "a profile or a model of 'models list --available', or owner/name on the hub with @revision for another than main")
    .description("download from the hub (HF_ENDPOINT, HF_TOKEN) and install; goes on where it broke off")
    .action((model: string, options: InstallOptions) => runCommand(context, options, () => pullModels(context, model, options)));
}

function command(models: Command, name: string): Command {
  return models.command(name).option("--data-dir <directory>", "where everything is kept");
}
