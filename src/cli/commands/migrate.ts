/** `migrate`: bring the database up to this version's schema. */
import type { Command } from "commander";
import { migrateDataDirectory } from "../../app/administration.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

export function addMigrateCommand(program: Command, context: CliContext): void {
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
