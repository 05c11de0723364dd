/** `process`: analyse recordings here and now. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { processRecordings } from "../../app/process-recordings.js";
import { renderAnalysis } from "../../app/render-analysis.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { isPartial } from "../../core/analysis-result.js";
import { AppError } from "../../core/errors.js";
import { isLanguageTag } from "../../core/language.js";
import { toWireAnalysis } from "../../protocol/http/analysis-schema.js";
import { type CliContext, type CommonOptions, configOf, runCommand, toOneLine } from "../context.js";
import { EXIT, exitCodeOf } from "../exit-codes.js";

interface ProcessOptions extends CommonOptions {
  readonly language: string;
  readonly engine?: string;
  readonly translate: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

export function addProcessCommand(program: Command, context: CliContext): void {
  program
    .command("process")
    .argument("<files...>", "recordings")
    .description("analyse recordings here and now; keeps nothing, may run beside serve")
    .option("--language <tag>", "language of the calls, or auto", "auto")
    .option("--engine <name>", "speech engine, or auto")
    .option("--no-translate", "do not translate")
    .option("--json", "one JSON analysis on stdout, one line per file")
    .option("--out <directory>", "write each analysis to a file there as well")
    .option("--config <file>", "settings as JSON")
    .option("--verbose", "show the stack of a failure")
    .action((files: string[], options: ProcessOptions) => runCommand(context, options, () => processFiles(context, files, options)));
}

/** Prints each analysis, in order. @returns the exit code. */
export async function processFiles(context: CliContext, files: readonly string[], options: ProcessOptions): Promise<number> {
  if (options.language !== "auto" && !isLanguageTag(options.language)) {
    throw new AppError("CONFIG_INVALID", "--language must be auto or a language tag such as sw or en.");
  }
  const config = configOf(context, options);
  if (options.out !== undefined) await mkdir(options.out, { recursive: true });
  const { language, translate } = options;
  const engine = options.engine ?? config.inference.speechEngine;
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort(new AppError("QUEUE_JOB_CANCELLED", "Stopped; nothing was kept.")));
  const codes: number[] = [];
  const written = new Set<string>();
  const results = processRecordings(config, {
    paths: files,
    language,
    engine,
    includeTranslation: translate,
    signal: stop.signal,
    ...(context.isTerminal
      ? { onProgress: (path, progress, step) => process.stderr.write(`\r\u001b[K${toOneLine(basename(path))}  ${progress}%  ${step}`) }
      : {}),
  });
  for await (const { path, result, error } of results) {
    if (context.isTerminal) process.stderr.write("\r\u001b[K");
    if (error !== undefined) {
      context.printError(toOneLine(`openchs-ai: ${path}: ${error.safeMessage} (${error.code})`));
      codes.push(exitCodeOf(error));
      continue;
    }
    const wire = toWireAnalysis(result);
    context.print(options.json === true ? JSON.stringify(wire) : renderAnalysis(wire));
    if (options.out !== undefined) await writeFile(join(options.out, outputName(path, written)), `${JSON.stringify(wire, null, 2)}\n`, { mode: 0o600 });
    codes.push(isPartial(result) ? EXIT.partial : EXIT.done);
  }
  return combine(codes);
}

/** Recordings of one name from several folders must not write over each other. */
function outputName(path: string, taken: Set<string>): string {
  let name = `${basename(path)}.analysis.json`;
  for (let copy = 2; taken.has(name); copy++) name = `${basename(path)}-${copy}.analysis.json`;
  taken.add(name);
  return name;
}

/** All the same: that code. Some bad, some not: partial. */
function combine(codes: readonly number[]): number {
  const [first = EXIT.done] = codes;
  return codes.every((code) => code === first) ? first : EXIT.partial;
}
