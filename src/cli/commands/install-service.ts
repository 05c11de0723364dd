/** `install-service`: makes a role a service of systemd, or shows what that would be. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { type InstallationStep, planInstallation, thisMachine } from "../../app/installation/install-service.js";
import { renderServiceFiles, type ServiceUnitOptions } from "../../app/installation/service-unit.js";
import { packageRoot } from "../../app/paths.js";
import { PROCESS_ROLES, type ProcessRole } from "../../app/roles/process-role.js";
import { type CliContext, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface InstallOptions {
  readonly role: ProcessRole;
  readonly device: "cpu" | "cuda";
  readonly print?: boolean;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
}

export function addInstallServiceCommand(program: Command, context: CliContext): void {
  program
    .command("install-service")
    .description("make it a service of systemd: user, folders, settings and a unit that is shut in; starts nothing")
    .addOption(new Option("--role <role>", "which process").choices([...PROCESS_ROLES]).default("serve"))
    .addOption(new Option("--device <device>", "cuda lets a worker see the GPU").choices(["cpu", "cuda"]).default("cpu"))
    .option("--print", "print the unit and the settings, and touch nothing")
    .option("--dry-run", "say what would be done, and touch nothing")
    .option("--verbose", "show the stack of a failure")
    .action((options: InstallOptions) => runCommand(context, options, () => install(context, options)));
}

async function install(context: CliContext, { role, device, print, dryRun }: InstallOptions): Promise<number> {
  const program = realpathSync(join(packageRoot(), "dist", "cli", "main.js"));
  const unit: ServiceUnitOptions = { role, device, node: process.execPath, program };
  if (print === true) {
    const { unitPath, unit: text, environmentPath, environment } = renderServiceFiles(unit);
    context.print(`# ${unitPath}\n${text}\n# ${environmentPath}\n${environment.trimEnd()}`);
    return EXIT.done;
  }
  const machine = thisMachine();
  const { files, steps } = await planInstallation(unit, dryRun === true ? { ...machine, isRoot: true, runsSystemd: true } : machine);
  for (const step of steps) await take(context, step, dryRun === true);
  if (dryRun !== true) context.print(`Fill in ${files.environmentPath}, then run: systemctl enable --now ${files.name}`);
  return EXIT.done;
}

async function take(context: CliContext, { what, run }: InstallationStep, isDry: boolean): Promise<void> {
  if (!isDry) await run();
  context.print(isDry ? `would ${what}` : `done: ${what}`);
}
