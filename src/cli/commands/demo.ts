/** `demo`: the main job on real calls, told truthfully; with a path, on your recording. */
import type { Command } from "commander";
import { runDemo } from "../../app/demo/run-demo.js";
import { type CliContext, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { processFiles } from "./process.js";

export function addDemoCommand(program: Command, context: CliContext): void {
  program
    .command("demo")
    .argument("[files...]", "your own recordings instead of the samples")
    .description("show what works on this machine: heard, read, survives")
    .option("--keep", "keep the service of the third act running and print its URL")
    .action((files: string[], options: { keep?: boolean }) =>
      runCommand(context, {}, async () => {
        if (files.length > 0) return processFiles(context, files, { language: "auto", translate: false });
        const isTrue = await runDemo(configOf(context, {}), { keep: options.keep === true, print: context.print });
        return isTrue ? EXIT.done : EXIT.internal;
      }),
    );
}
