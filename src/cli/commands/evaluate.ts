/** `evaluate`: measure an engine on labelled data. */
import type { Command } from "commander";
import { evaluate } from "../../app/evaluation/evaluate.js";
import { renderEvaluation } from "../../app/evaluation/render-evaluation.js";
import { AppError } from "../../core/errors.js";
import { ENGINE_EVALUATIONS } from "../../evaluation/evaluation-tasks.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { stoppedByUser } from "../models/model-options.js";

interface EvaluateOptions extends CommonOptions {
  readonly engine: string;
  readonly bare?: boolean;
  readonly wordErrors: string;
  readonly json?: boolean;
}

const TASKS = ["asr", ...ENGINE_EVALUATIONS, "pii"] as const;

export function addEvaluateCommand(program: Command, context: CliContext): void {
  program
    .command("evaluate")
    .argument("<task>", TASKS.join(", "))
    .argument("<files...>", "labelled data, one JSON object a line; data/labelled/GUIDELINES.md says how")
    .description("measure an engine on labelled data; keeps nothing, may run beside serve")
    .option("--engine <name>", "the engine, or auto", "auto")
    .option("--bare", "on a copy without capitals and punctuation")
    .option("--word-errors <percent>", "on a copy with so many words misheard, 0 to 90", "0")
    .option("--json", "one JSON object on stdout")
    .option("--data-dir <directory>", "where everything is kept")
    .option("--config <file>", "settings as JSON")
    .option("--verbose", "show the stack of a failure")
    .action((task: string, files: string[], options: EvaluateOptions) => runCommand(context, options, () => runEvaluation(context, task, files, options)));
}

async function runEvaluation(context: CliContext, name: string, paths: readonly string[], options: EvaluateOptions): Promise<number> {
  const task = TASKS.find((known) => known === name);
  if (task === undefined) throw new AppError("CONFIG_INVALID", `The task must be one of ${TASKS.join(", ")}.`);
  const percent = Number(options.wordErrors);
  if (!(percent >= 0 && percent <= 90)) throw new AppError("CONFIG_INVALID", "--word-errors must be a number from 0 to 90.");
  const evaluation = await evaluate(configOf(context, options), {
    task,
    paths,
    engine: options.engine,
    damage: { isBare: options.bare === true, wordErrorRate: percent / 100 },
    signal: stoppedByUser("Stopped; nothing was kept."),
    ...(context.isTerminal ? { onProgress: (done, total) => process.stderr.write(`\r\u001b[K${done} of ${total}`) } : {}),
  });
  if (context.isTerminal) process.stderr.write("\r\u001b[K");
  context.print(options.json === true ? JSON.stringify({ task, ...evaluation }) : renderEvaluation(task, evaluation));
  return EXIT.done;
}
