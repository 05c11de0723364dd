/** `keys`: API keys of this data directory. */
import { type Command, Option } from "commander";
import { type Administration, openAdministration } from "../../app/administration.js";
import { USER_ROLES, type UserRole } from "../../security/permissions.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

export function addKeysCommand(program: Command, context: CliContext): void {
  const keys = program.command("keys").description("API keys");
  const run = (options: CommonOptions, create: boolean, work: (administration: Administration) => Promise<void>): Promise<void> =>
    runCommand(context, options, async () => {
      const administration = await openAdministration(configOf(context, options), { create });
      try {
        await work(administration);
        return EXIT.done;
      } finally {
        await administration.close();
      }
    });
  keys
    .command("create")
    .description("make a key; it is shown this once")
    .addOption(new Option("--role <role>", "what it may do").choices([...USER_ROLES]).makeOptionMandatory())
    .option("--label <text>", "whose it is", "")
    .option("--data-dir <directory>", "where everything is kept")
    .action((options: CommonOptions & { role: UserRole; label: string }) =>
      run(options, true, async ({ createKey }) => {
        const { token } = await createKey(options.role, options.label.slice(0, 64));
        context.print(token);
      }),
    );
  keys
    .command("list")
    .description("list keys, without their secrets")
    .option("--data-dir <directory>", "where everything is kept")
    .action((options: CommonOptions) =>
      run(options, false, async ({ listKeys }) => {
        for (const { keyId, role, label, createdAtMs, revokedAtMs } of await listKeys()) {
          const state = revokedAtMs === null ? "active" : "revoked";
          context.print(`${keyId}  ${role.padEnd(10)} ${state.padEnd(8)} ${new Date(createdAtMs).toISOString()}  ${label}`);
        }
      }),
    );
  keys
    .command("revoke")
    .argument("<id>", "the key's id, as 'keys list' shows it")
    .description("revoke a key at once")
    .option("--data-dir <directory>", "where everything is kept")
    .action((keyId: string, options: CommonOptions) => run(options, false, ({ revokeKey }) => revokeKey(keyId)));
}
