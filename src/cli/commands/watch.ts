/** `watch`: hand the finished recordings of a folder to a running service. */
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { createServiceClient } from "../../app/watch/service-client.js";
import { watchFolder } from "../../app/watch/watch-folder.js";
import { AppError } from "../../core/errors.js";
import { isLanguageTag } from "../../core/language.js";
import { type CliContext, type CommonOptions, configOf, runCommand, toOneLine } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface WatchCommandOptions extends CommonOptions {
  readonly to?: string;
  readonly keyFile?: string;
  readonly language: string;
  readonly settle: string;
  readonly once?: boolean;
}

export function addWatchCommand(program: Command, context: CliContext): void {
  program
    .command("watch")
    .argument("<directory>", "folder of recordings; done/ and refused/ are made in it")
    .description("hand finished recordings of a folder to a running service; each is moved when it is analysed")
    .option("--to <url>", "the service (default: this machine, at PORT)")
    .option("--key-file <file>", "file with an API key (default: admin.key in the data directory)")
    .option("--language <tag>", "language of the calls, or auto", "auto")
    .option("--settle <seconds>", "a file not written for this long is finished", "10")
    .option("--once", "take what is there now, wait for it, and end")
    .option("--data-dir <directory>", "where the service keeps its data")
    .option("--config <file>", "settings as JSON")
    .option("--verbose", "show the stack of a failure")
    .action((directory: string, options: WatchCommandOptions) => runCommand(context, options, () => watch(context, directory, options)));
}

/** @returns 0; with `--once`: 2 when every file was refused, 4 when some were. */
async function watch(context: CliContext, directory: string, options: WatchCommandOptions): Promise<number> {
  const config = configOf(context, options);
  if (options.language !== "auto" && !isLanguageTag(options.language))
    throw new AppError("CONFIG_INVALID", "--language must be auto or a language tag such as sw or en.");
  if (!/^\d{1,5}$/.test(options.settle)) throw new AppError("CONFIG_INVALID", "--settle must be a number of seconds.");
  const isDirectory = await stat(directory).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new AppError("CONFIG_INVALID", "There is no such folder to watch; check the path.");
  const to = options.to ?? `${config.tls.certificateFile === undefined ? "http" : "https"}://${config.gateway.host}:${config.gateway.port}`;
  if (!URL.canParse(to)) throw new AppError("CONFIG_INVALID", "--to must be an address such as http://127.0.0.1:8125.");
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort());
  try {
    const { done, refused } = await watchFolder({
      directory: resolve(directory),
      client: createServiceClient({ url: new URL(to), apiKey: await readKey(options.keyFile ?? join(config.dataDirectory, "admin.key")) }),
      language: options.language,
      settleMs: Number(options.settle) * 1000,
      isOnce: options.once === true,
      signal: stop.signal,
      onDone: (name, callId) => context.print(toOneLine(`done ${name} call ${callId}`)),
      onRefused: (name, reason) => context.printError(toOneLine(`openchs-ai: ${name}: ${reason}`)),
      onAway: () => context.printError("openchs-ai: the service does not answer; waiting for it."),
    });
    if (refused === 0) return EXIT.done;
    return done === 0 ? EXIT.badInput : EXIT.partial;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.done;
    throw error;
  }
}

async function readKey(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("CONFIG_INVALID", "The file with the API key can't be read; name it with --key-file.", { cause });
  });
  const key = text.trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new AppError("CONFIG_INVALID", "The file with the API key does not hold one key on one line; name another with --key-file.");
  return key;
}
