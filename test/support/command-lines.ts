/** Command lines held against what the program understands. Apart from the rest, for it loads the whole program. */
import { Command } from "commander";
import { addRoleCommands } from "../../src/cli/commands/roles.js";
import { addServeCommand } from "../../src/cli/commands/serve.js";

/** The command line's own description of its long-running commands. */
function serviceCommands(): Command {
  const program = new Command();
  const context = { env: {}, print: () => {}, printError: () => {}, isTerminal: false };
  addServeCommand(program, context);
  addRoleCommands(program, context);
  return program;
}

/** Faults of a command line such as `worker --device cuda`. */
export function faultsOfCommandLine([name = "", ...words]: readonly string[]): readonly string[] {
  const command = serviceCommands().commands.find((each) => each.name() === name);
  if (command === undefined) return [`${name} is no command`];
  const { unknown, operands } = command.parseOptions([...words]);
  return [...unknown, ...operands].map((word) => `${name} knows no ${word}`);
}
