/** `migrate`, `backup`, `restore`: what lies in the database and the audio store, as a whole. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { migrateDataDirectory } from "../../app/administration.js";
import { makeBackup } from "../../app/backup/make-backup.js";
import { restoreBackup } from "../../app/backup/restore-backup.js";
import { AppError } from "../../core/errors.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface PassphraseOptions extends CommonOptions {
  readonly passphraseFile?: string;
}

export function addStoredDataCommands(program: Command, context: CliContext): void {
  addMigrateCommand(program, context);
  program
    .command("backup")
    .argument("<directory>", "a new directory, made whole or not at all")
    .description("copy database and recordings, sealed as they are; beside a running service as well")
    .option("--passphrase-file <file>", "put the master key in, sealed under the passphrase in this file")
    .option("--data-dir <directory>", "where everything is kept")
    .option("--verbose", "show the stack of a failure")
    .action((directory: string, options: PassphraseOptions) => runCommand(context, options, () => backup(context, resolve(directory), options)));
  program
    .command("restore")
    .argument("<directory>", "a backup")
    .description("put a backup into an empty place, on any kind of database; the service must not run there")
    .option("--passphrase-file <file>", "take the master key of the backup, when there is none in its place")
    .option("--data-dir <directory>", "where everything is to be kept")
    .option("--verbose", "show the stack of a failure")
    .action((directory: string, options: PassphraseOptions) => runCommand(context, options, () => restore(context, resolve(directory), options)));
}

function addMigrateCommand(program: Command, context: CliContext): void {
  program
    .command("migrate")
    .description("bring the database up to date (serve does it by itself)")
    .option("--data-dir <directory>", "where everything is kept")
    .option("--verbose", "show the stack of a failure")
    .action((options: CommonOptions) =>
      runCommand(context, options, async () => {
        const applied = await migrateDataDirectory(configOf(context, options));
        context.print(applied.length === 0 ? "The database is up to date." : `Applied: ${applied.map(({ name }) => name).join(", ")}`);
        return EXIT.done;
      }),
    );
}

async function backup(context: CliContext, directory: string, options: PassphraseOptions): Promise<number> {
  const passphrase = await readPassphrase(options);
  const { calls, rows, recordings, audioBytes, missing } = await makeBackup(configOf(context, options), {
    directory,
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  context.print(`Backed up ${calls} calls (${rows} rows) and ${recordings} recordings (${Math.ceil(audioBytes / 1_048_576)} MB) into ${directory}`);
  context.print(
    passphrase === undefined
      ? "The master key is NOT in it, and without the key nothing of it can be read: keep a copy of the key in another safe place."
      : "The master key is in it, sealed: keep the passphrase in another safe place.",
  );
  if (missing === 0) return EXIT.done;
  context.printError(`openchs-ai: ${missing} recordings that calls name are not in the audio store; everything else was backed up.`);
  return EXIT.partial;
}

async function restore(context: CliContext, directory: string, options: PassphraseOptions): Promise<number> {
  const passphrase = await readPassphrase(options);
  const config = configOf(context, options);
  const { calls, recordings, auditRecords } = await restoreBackup(config, { directory, ...(passphrase === undefined ? {} : { passphrase }) });
  context.print(`Restored ${calls} calls and ${recordings} recordings; the audit log is whole (${auditRecords} records).`);
  return EXIT.done;
}

async function readPassphrase({ passphraseFile }: PassphraseOptions): Promise<string | undefined> {
  if (passphraseFile === undefined) return undefined;
  const text = await readFile(passphraseFile, "utf8").catch((cause: unknown) => {
    throw new AppError("CONFIG_INVALID", "The passphrase file can't be read; check its path and its owner.", { cause });
  });
  return text.replace(/\r?\n$/, "");
}
