import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addCommands, COMMAND_LOADERS } from "../../../src/cli/command-loading.js";
import type { CliContext } from "../../../src/cli/context.js";

const context: CliContext = { env: {}, print: () => {}, printError: () => {}, isTerminal: false };

async function namesFor(word: string | undefined): Promise<readonly string[]> {
  const program = new Command();
  await addCommands(program, context, word);
  return program.commands.map((command) => command.name());
}

describe("the commands that are loaded", () => {
  it("are all, in order, for the help, for nothing and for a word that is none", async () => {
    const all = [...COMMAND_LOADERS.keys()];
    for (const word of [undefined, "--help", "help", "porcess"]) expect(await namesFor(word)).toEqual(all);
    // The whole program is translated from source here.
  }, 60_000);

  it.each([...COMMAND_LOADERS.keys()])("hold %s where that is run, and not all others", async (name) => {
    const names = await namesFor(name);
    expect(names).toContain(name);
    expect(names.length).toBeLessThan(4);
  });
});
