/** `models`: install, list, check and remove models. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { tryModel } from "../../app/try-model.js";
import { AppError } from "../../core/errors.js";
import { isLanguageTag } from "../../core/language.js";
import { HubClient } from "../../inference/store/hub-client.js";
import { DTYPES, type Dtype } from "../../inference/store/model-manifest.js";
import { pullModel } from "../../inference/store/model-pull.js";
import { type ModelFacts, type ModelStore, openModelStore } from "../../inference/store/model-store.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { createPullBars } from "../pull-bars.js";

interface ImportOptions extends CommonOptions {
  readonly id?: string;
  readonly dtype?: string;
  readonly languages?: string;
  readonly instruction?: string;
  readonly replace?: boolean;
}

const MEGABYTE = 1e6;

export function addModelsCommand(program: Command, context: CliContext): void {
  const models = program.command("models").description("models on this machine: pull, import, list, verify, remove");
  const run = (options: CommonOptions, work: (store: ModelStore) => Promise<number>): Promise<void> =>
    runCommand(context, options, () => work(openModelStore(configOf(context, options).inference.modelsDirectory)));
  models
    .command("import")
    .argument("<directory>", "config.json, tokenizer.json, onnx/ and so on, as the hub has them")
    .description("install a model from a directory; a service that runs uses it after its next start")
    .option("--id <id>", "its name here; default: the directory's name")
    .option("--dtype <type>", `how its weights are stored: ${DTYPES.join(", ")}; default: the first that is there`)
    .option("--languages <tags>", "of the texts it was taught with, such as en,sw; default: any")
    .option("--instruction <text>", "stands before a text that it shall summarize; default: what its files say")
    .option("--replace", "take the place of an installed model with this id")
    .option("--data-dir <directory>", "where everything is kept")
    .action((directory: string, options: ImportOptions) => run(options, (store) => importModel(context, store, directory, options)));
  models
    .command("pull")
    .argument("<model>", "owner/name on the hub, with @revision for another than main")
    .description("download a model from the hub (HF_ENDPOINT, HF_TOKEN) and install it; goes on where it broke off")
    .option("--id <id>", "its name here; default: the name on the hub")
    .option("--dtype <type>", `how its weights are stored: ${DTYPES.join(", ")}; default: the first that is there`)
    .option("--languages <tags>", "of the texts it was taught with, such as en,sw; default: any")
    .option("--instruction <text>", "stands before a text that it shall summarize; default: what its files say")
    .option("--replace", "take the place of an installed model with this id")
    .option("--data-dir <directory>", "where everything is kept")
    .action((model: string, options: ImportOptions) => runCommand(context, options, () => pullFromHub(context, model, options)));
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

async function importModel(context: CliContext, store: ModelStore, directory: string, options: ImportOptions): Promise<number> {
  const { id, dtype, replace } = options;
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort(new AppError("MODEL_CANCELLED", "Stopped; nothing was installed.")));
  const model = await store.import(directory, {
    signal: stop.signal,
    isReplacing: replace === true,
    facts: factsOf(options),
    tryOut: tryModel,
    ...(id === undefined ? {} : { id }),
    ...(dtype === undefined ? {} : { dtype: toDtype(dtype) }),
    ...(context.isTerminal ? { onProgress: (path, done, total) => process.stderr.write(`\r\u001b[K${Math.floor((100 * done) / total)}%  ${path}`) } : {}),
  });
  if (context.isTerminal) process.stderr.write("\r\u001b[K");
  context.print(`${model.id}: ${model.task} by ${model.engine}, ${model.dtype}, ${model.files.length} files`);
  return EXIT.done;
}

async function pullFromHub(context: CliContext, model: string, options: ImportOptions): Promise<number> {
  const { inference, hub } = configOf(context, options);
  const { modelsDirectory } = inference;
  if (hub.isOffline) throw new AppError("MODEL_HUB_REFUSED", "HF_HUB_OFFLINE is set: nothing is downloaded. Use 'openchs-ai models import DIRECTORY'.");
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort(new AppError("MODEL_CANCELLED", "Stopped; what came is kept, and the next pull goes on from there.")));
  const [repository = "", revision = "main"] = model.split("@");
  const { id, dtype, replace } = options;
  const bars = context.isTerminal ? createPullBars() : undefined;
  const client = new HubClient({ endpoint: hub.endpoint, ...(hub.token === undefined ? {} : { token: hub.token }) });
  const parts = { hub: client, store: openModelStore(modelsDirectory), downloads: await downloadDirectory(modelsDirectory) };
  try {
    const installed = await pullModel(parts, {
      ...{ repository, revision, signal: stop.signal, isReplacing: replace === true, facts: factsOf(options), tryOut: tryModel },
      ...(id === undefined ? {} : { id }),
      ...(dtype === undefined ? {} : { dtype: toDtype(dtype) }),
      ...(bars === undefined ? {} : { onProgress: bars.show }),
    });
    bars?.stop();
    context.print(
      `${installed.id}: ${installed.task} by ${installed.engine}, ${installed.dtype}, ${installed.files.length} files, commit ${installed.origin?.commit ?? ""}`,
    );
    return EXIT.done;
  } finally {
    bars?.stop();
  }
}

/** Beside the models, out of their sight. */
async function downloadDirectory(modelsDirectory: string): Promise<string> {
  const directory = join(modelsDirectory, ".downloads");
  await mkdir(directory, { recursive: true });
  return directory;
}

function factsOf({ languages, instruction }: ImportOptions): Pick<ModelFacts, "languages" | "instruction"> {
  const tags = languages?.split(",").map((tag) => tag.trim());
  if (tags?.every(isLanguageTag) === false) throw new AppError("CONFIG_INVALID", "--languages must be tags with commas between, such as en,sw.");
  return { ...(tags === undefined ? {} : { languages: tags }), ...(instruction === undefined ? {} : { instruction }) };
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
