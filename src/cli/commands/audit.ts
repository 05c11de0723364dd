/** `audit verify`: is the audit log whole. */
import type { Command } from "commander";
import { openAdministration } from "../../app/administration.js";
import { AppError } from "../../core/errors.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

export function addAuditCommand(program: Command, context: CliContext): void {
  program
    .command("audit")
    .description("the audit log")
    .command("verify")
    .description("check the chain from the first record to the last")
    .option("--data-dir <directory>", "where everything is kept")
    .action((options: CommonOptions) =>
      runCommand(context, options, async () => {
        const administration = await openAdministration(configOf(context, options), { create: false });
        try {
          const { recordCount, brokenAtSeq } = await administration.verifyAudit();
          if (brokenAtSeq !== null) {
            throw new AppError(
              "AUDIT_CHAIN_BROKEN",
              `The audit log was changed outside the service: record ${brokenAtSeq} does not fit the chain. Compare with a backup.`,
            );
          }
          context.print(`The audit log is whole: ${recordCount} records.`);
          return EXIT.done;
        } finally {
          await administration.close();
        }
      }),
    );
}
