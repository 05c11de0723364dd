/** `models`: install, list, check and remove models. */
import type { Command } from "commander";
import { tryModel } from "../../app/installed-engines.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { AppError } from "../../core/errors.js";
import { DTYPES, type Dtype } from "../../inference/store/model-manifest.js";
import { type ModelStore, openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface ImportOptions extends CommonOptions {
  readonly id?: string;
  readonly dtype?: string;
  readonly replace?: boolean;
}

const MEGABYTE = 1e6;

export function addModelsCommand(program: Command, context: CliContext): void {
  const models = program.command("models").description("models on this machine: import, list, verify, remove");
  const run = (options: CommonOptions, work: (store: ModelStore) => Promise<number>): Promise<void> =>
    runCommand(context, options, () => work(openModelStore(configOf(context, options).inference.modelsDirectory)));
  models
    .command("import")
    .argument("<directory>", "config.json, tokenizer.json, onnx/ and so on, as the hub has them")
    .description("install a model from a directory; a service that runs uses it after its next start")
    .option("--id <id>", "its name here; default: the directory's name")
    .option("--dtype <type>", `how its weights are stored: ${DTYPES.join(", ")}; default: the first that is there`)
    .option("--replace", "take the place of an installed model with this id")
    .option("--data-dir <directory>", "where everything is kept")
    .action((directory: string, options: ImportOptions) => run(options, (store) => importModel(context, store, directory, options)));
  models
    .command("list")
    .description("newest first")
    .option("--data-dir <directory>", "where everything is kept")
    .action((options: CommonOptions) =>
      run(options, async (store) => {
        const installed = await store.list();
        for (const { id, task, engine, dtype, files } of installed) {
          const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          context.print(`${id.padEnd(32)} ${task.padEnd(10)} ${engine.padEnd(22)} ${dtype.padEnd(5)} ${(bytes / MEGABYTE).toFixed(1).padStart(8)} MB`);
        }
        if (installed.length === 0) context.printError("No models are installed; 'openchs-ai models import DIRECTORY' installs one.");
        return EXIT.done;
      }),
    );
  models
    .command("verify")
    .argument("[id]", "default: all")
    .description("hash every file again; exit 4 when one is missing or changed")
    .option("--data-dir <directory>", "where everything is kept")
    .action((id: string | undefined, options: CommonOptions) => run(options, (store) => verifyModels(context, store, id)));
  models
    .command("remove")
    .argument("<id>")
    .description("remove a model and its files")
    .option("--data-dir <directory>", "where everything is kept")
    .action((id: string, options: CommonOptions) =>
      run(options, async (store) => {
        await store.remove(id);
        return EXIT.done;
      }),
    );
}

async function importModel(context: CliContext, store: ModelStore, directory: string, { id, dtype, replace }: ImportOptions): Promise<number> {
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort(new AppError("MODEL_CANCELLED", "Stopped; nothing was installed.")));
  const model = await store.import(directory, {
    signal: stop.signal,
    isReplacing: replace === true,
    tryOut: tryModel,
    ...(id === undefined ? {} : { id }),
    ...(dtype === undefined ? {} : { dtype: toDtype(dtype) }),
    ...(context.isTerminal ? { onProgress: (path, done, total) => process.stderr.write(`\r\u001b[K${Math.floor((100 * done) / total)}%  ${path}`) } : {}),
  });
  if (context.isTerminal) process.stderr.write("\r\u001b[K");
  context.print(`${model.id}: ${model.task} by ${model.engine}, ${model.dtype}, ${model.files.length} files`);
  return EXIT.done;
}

function toDtype(text: string): Dtype {
  const dtype = DTYPES.find((known) => known === text);
  if (dtype === undefined) throw new AppError("CONFIG_INVALID", `--dtype must be one of ${DTYPES.join(", ")}.`);
  return dtype;
}

async function verifyModels(context: CliContext, store: ModelStore, id: string | undefined): Promise<number> {
  const ids = id === undefined ? (await store.list()).map((model) => model.id) : [id];
  let hasProblem = false;
  for (const each of ids) {
    const { problems } = await store.verify(each);
    hasProblem ||= problems.length > 0;
    context.print(problems.length === 0 ? `${each}: ok` : `${each}: ${problems.map(({ path, problem }) => `${path} ${problem}`).join(", ")}`);
  }
  return hasProblem ? EXIT.partial : EXIT.done;
}
