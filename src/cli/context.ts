/** What every command shares: where to print, how to fail, how settings come in. */
import { readFileSync } from "node:fs";
import type { Config } from "../config/config-schema.js";
import { loadConfig } from "../config/load-config.js";
import { AppError, toAppError } from "../core/errors.js";
import { toOperatorError } from "../core/system-error.js";
import { exitCodeOf } from "./exit-codes.js";

/** The process's edges, handed in so that nothing below reads them by itself. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly isTerminal: boolean;
}

/** Options every command takes. */
export interface CommonOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly verbose?: boolean;
}

export function configOf(context: CliContext, options: CommonOptions, argv: Readonly<Record<string, string | undefined>> = {}): Config {
  const file = options.config === undefined ? {} : readConfigFile(options.config);
  return loadConfig({ argv: { ...argv, DATA_DIR: options.dataDir }, env: context.env, file });
}

function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", "The configuration file can't be read as JSON; check its path and its commas.", { cause });
  }
  throw new AppError("CONFIG_INVALID", "The configuration file must be a JSON object of settings.");
}

/** One line whatever is in it: a file's name may hold line breaks, and codes that terminals obey. */
export function toOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Runs a command's work; a failure is one line on stderr and an exit code. */
export async function runCommand(context: CliContext, options: CommonOptions, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (thrown) {
    const error = toOperatorError(thrown) ?? toAppError(thrown);
    context.printError(`openchs-ai: ${error.safeMessage} (${error.code})`);
    if (options.verbose === true) context.printError(String((thrown as Error).stack));
    process.exitCode = exitCodeOf(error);
  }
}
