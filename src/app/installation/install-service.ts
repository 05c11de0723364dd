/**
 * `install-service`: makes the user, the folders, the unit and the settings of a role. Starts nothing: settings are to be
 * filled in first. Run again after an upgrade it brings the unit up to date and leaves the settings alone.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { AppError } from "../../core/errors.js";
import { renderServiceFiles, SERVICE_USER, type ServiceFiles, type ServiceUnitOptions, UNIT_MARK } from "./service-unit.js";

/** What is touched of the machine. */
export interface Machine {
  /** Before every path; empty for the machine itself. */
  readonly root: string;
  readonly isRoot: boolean;
  readonly runsSystemd: boolean;
  /** @throws when the program ends with a fault */
  run(program: string, words: readonly string[]): Promise<void>;
}

export interface InstallationStep {
  readonly what: string;
  run(): Promise<void>;
}

const HOMES = /^\/(?:home|root|run\/user)\//;

/** This machine, as it is. */
export function thisMachine(): Machine {
  const run = promisify(execFile);
  return {
    root: "",
    isRoot: process.getuid?.() === 0,
    // The one sign of it that systemd itself documents: sd_booted(3).
    runsSystemd: existsSync("/run/systemd/system"),
    run: async (program, words) => void (await run(program, [...words])),
  };
}

/**
 * What an installation does, in order.
 *
 * @throws AppError `CONFIG_INVALID` when it can't be done here, with what to do
 */
export async function planInstallation(options: ServiceUnitOptions, machine: Machine): Promise<{ files: ServiceFiles; steps: readonly InstallationStep[] }> {
  const files = renderServiceFiles(options);
  const at = (path: string): string => join(machine.root, path);
  if (!machine.runsSystemd) throw refusal("systemd does not run on this machine. --print shows the unit, for another one.");
  if (!machine.isRoot) throw refusal("only root may write units: run it with sudo. --print and --dry-run show what it would do.");
  if (HOMES.test(options.program))
    throw refusal("the program lies in a home directory, where the service may not look. Move it, for instance to /opt/openchs-ai.");
  const existing = await readFile(at(files.unitPath), "utf8").catch(() => "");
  if (existing !== "" && !existing.startsWith(UNIT_MARK)) throw refusal(`${files.unitPath} was written by somebody else. Move it away first.`);
  const hasUser = await machine.run("getent", ["passwd", SERVICE_USER]).then(
    () => true,
    () => false,
  );
  const account = ["--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/openchs-ai", "--shell", "/usr/sbin/nologin", SERVICE_USER];
  const steps: InstallationStep[] = [
    ...(hasUser ? [] : [{ what: `make the user ${SERVICE_USER}`, run: () => machine.run("useradd", account) }]),
    {
      what: `make ${dirname(files.environmentPath)} for root and ${SERVICE_USER}`,
      run: () => makeOwned(machine, dirname(files.environmentPath), { owner: "root", mode: 0o750 }),
    },
    ...files.writable.map((path) => ({ what: `make ${path} for ${SERVICE_USER}`, run: () => makeOwned(machine, path, { owner: SERVICE_USER, mode: 0o700 }) })),
    existsSync(at(files.environmentPath))
      ? { what: `leave the settings in ${files.environmentPath} as they are`, run: async () => {} }
      : { what: `write ${files.environmentPath}`, run: () => writeOwned(machine, files.environmentPath, { text: files.environment, mode: 0o640 }) },
    { what: `write ${files.unitPath}`, run: () => writeOwned(machine, files.unitPath, { text: files.unit, mode: 0o644 }) },
    { what: "tell systemd", run: () => machine.run("systemctl", ["daemon-reload"]) },
  ];
  return { files, steps };
}

async function makeOwned(machine: Machine, path: string, { owner, mode }: { readonly owner: string; readonly mode: number }): Promise<void> {
  const place = join(machine.root, path);
  // One that is there is somebody's: a mount, or the folder of another role.
  if (existsSync(place)) return;
  await makeParents(place);
  await mkdir(place);
  await chmod(place, mode);
  await machine.run("chown", [`${owner}:${SERVICE_USER}`, place]);
}

async function writeOwned(machine: Machine, path: string, { text, mode }: { readonly text: string; readonly mode: number }): Promise<void> {
  const place = join(machine.root, path);
  await makeParents(place);
  await writeFile(place, text, { mode });
  await chmod(place, mode);
  await machine.run("chown", [mode === 0o640 ? `root:${SERVICE_USER}` : "root:root", place]);
}

/** Open to all: our own umask would shut the service out of what lies in them. */
async function makeParents(place: string): Promise<void> {
  const parent = dirname(place);
  if (existsSync(parent)) return;
  await makeParents(parent);
  await mkdir(parent);
  await chmod(parent, 0o755);
}

function refusal(why: string): AppError {
  return new AppError("CONFIG_INVALID", `The service can't be installed: ${why}`);
}
