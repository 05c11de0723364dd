#!/usr/bin/env node
/** The command line: words to a role. */
import { Command, CommanderError } from "commander";
import { addCommands } from "./command-loading.js";
import type { CliContext } from "./context.js";
import { EXIT } from "./exit-codes.js";

const context: CliContext = {
  env: process.env,
  print: (text) => process.stdout.write(`${text}\n`),
  printError: (text) => process.stderr.write(`${text}\n`),
  isTerminal: process.stderr.isTTY === true,
};

// Whatever is written is for the service's user alone.
process.umask(0o077);
// A reader that goes away (`| head`) ends the program as Ctrl-C does: with everything temporary removed.
process.stdout.on("error", () => process.kill(process.pid, "SIGINT"));

const program = new Command("openchs-ai")
  .description("Listens to child helpline calls with the counsellor: words, entities, case classification, risk, summary and call quality.")
  .exitOverride()
  .showHelpAfterError(false);
await addCommands(program, context, process.argv[2]);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has printed its one line.
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.badInput;
}
