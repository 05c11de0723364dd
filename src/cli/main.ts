#!/usr/bin/env node
/** The command line: words to a role. Each command is a file in `commands/`. */
import { Command, CommanderError } from "commander";
import { addAuditCommand } from "./commands/audit.js";
import { addCallCommand } from "./commands/call.js";
import { addDemoCommand } from "./commands/demo.js";
import { addDoctorCommand } from "./commands/doctor.js";
import { addEvaluateCommand } from "./commands/evaluate.js";
import { addInstallServiceCommand } from "./commands/install-service.js";
import { addJobsCommand } from "./commands/jobs.js";
import { addKeysCommand } from "./commands/keys.js";
import { addModelsCommand } from "./commands/models.js";
import { addOpenapiCommand } from "./commands/openapi.js";
import { addProcessCommand } from "./commands/process.js";
import { addRoleCommands } from "./commands/roles.js";
import { addServeCommand } from "./commands/serve.js";
import { addStoredDataCommands } from "./commands/stored-data.js";
import { addWatchCommand } from "./commands/watch.js";
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
for (const add of [
  addServeCommand,
  addRoleCommands,
  addProcessCommand,
  addCallCommand,
  addKeysCommand,
  addJobsCommand,
  addModelsCommand,
  addEvaluateCommand,
  addStoredDataCommands,
  addAuditCommand,
  addDoctorCommand,
  addInstallServiceCommand,
  addOpenapiCommand,
  addWatchCommand,
  addDemoCommand,
]) {
  add(program, context);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has printed its one line.
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.badInput;
}
