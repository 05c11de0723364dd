/** `install-service` on a machine that is a folder: what it makes there, and what systemd thinks of the units. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Machine, planInstallation } from "../../src/app/installation/install-service.js";
import { renderServiceFiles } from "../../src/app/installation/service-unit.js";
import { dutiesOf, PROCESS_ROLES, type ProcessRole } from "../../src/app/roles/process-role.js";
import { loadConfig } from "../../src/config/load-config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { faultsOfCommandLine } from "../support/command-lines.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const ANALYZE = "/usr/bin/systemd-analyze";
const PROGRAM = "/opt/openchs-ai/dist/cli/main.js";
const filesOf = (role: ProcessRole, device: "cpu" | "cuda" = "cpu") => renderServiceFiles({ role, device, node: process.execPath, program: PROGRAM });

/** `Key=value` lines by section. @throws on a line that systemd would not understand */
function readUnit(text: string): Readonly<Record<string, readonly (readonly [string, string])[]>> {
  const sections: Record<string, [string, string][]> = {};
  let section = "";
  for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, key = "", value = ""] = /^([A-Z][A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (header === undefined && (key === "" || section === "")) throw new Error(`systemd would not understand: ${line}`);
    if (header === undefined) sections[section]?.push([key, value]);
    else sections[header] = [];
    section = header ?? section;
  }
  return sections;
}

const readEnvironment = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split("\n")
      .filter((line) => /^[A-Z]/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

describe("the units of install-service", () => {
  it("start a role as a user of its own, with settings that load and a data directory it may write to", () => {
    for (const role of PROCESS_ROLES) {
      const { unit, environment, environmentPath, writable } = filesOf(role);
      const { Unit, Service = [], Install } = readUnit(unit);
      expect([Unit?.length, Install?.length].every((count) => (count ?? 0) > 0)).toBe(true);
      const of = (key: string): string => Service.find(([each]) => each === key)?.[1] ?? "";
      const [node, program, ...commandLine] = of("ExecStart").split(" ");
      expect([node, program]).toEqual([process.execPath, PROGRAM]);
      expect(commandLine[0]).toBe(role);
      expect(faultsOfCommandLine(commandLine)).toEqual([]);
      expect([of("User"), of("EnvironmentFile")]).toEqual(["openchs", environmentPath]);
      const settings = readEnvironment(environment);
      expect(Object.keys(settings).filter((name) => !Object.hasOwn(SETTINGS, name))).toEqual([]);
      const filledIn = role === "serve" ? {} : { DATABASE_URL: "postgres://openchs:x@127.0.0.1/openchs", REDIS_URL: "redis://127.0.0.1" };
      const config = loadConfig({ env: { ...settings, ...filledIn } });
      expect(dutiesOf(role, config).isShared).toBe(role !== "serve");
      expect(config.dataDirectory).toBe(`/var/lib/${of("StateDirectory")}`);
      expect(of("ReadWritePaths")).toBe(writable.join(" "));
      if (role !== "serve") expect(config.audioStore.url).toBe(`file:${of("ReadWritePaths")}`);
      expect(Number(of("TimeoutStopSec")) * 1000).toBeGreaterThan(config.shutdownDeadlineMs + config.telephony.drainMs);
    }
    const ports = PROCESS_ROLES.filter((role) => role !== "serve").map((role) => readEnvironment(filesOf(role).environment)["PORT"]);
    expect(new Set(ports).size).toBe(ports.length);
  });

  it("hide the GPU from everybody but a worker that was given it", () => {
    expect(filesOf("worker").unit).toContain("PrivateDevices=yes");
    expect(filesOf("worker", "cuda").unit).not.toContain("PrivateDevices=yes");
    expect(filesOf("worker", "cuda").unit).toContain("main.js worker --device cuda\n");
  });

  it("are understood by systemd and shut in well, where systemd is there to say so", async () => {
    const { unit } = filesOf("stream");
    const service = readUnit(unit)["Service"]?.map(([key]) => key) ?? [];
    expect(service).toEqual(
      expect.arrayContaining(["NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "CapabilityBoundingSet", "SystemCallFilter"]),
    );
    if (!existsSync(ANALYZE)) return;
    await using directory = Object.assign(await makeTemporaryDirectory(), { [Symbol.asyncDispose]: () => directory.remove() });
    for (const role of PROCESS_ROLES) {
      const path = join(directory.path, `${filesOf(role).name}.service`);
      await writeFile(path, filesOf(role).unit);
      // Whatever it does not know or like it says, and ends with 0 all the same.
      const { stdout, stderr } = spawnSync(ANALYZE, ["verify", path], { encoding: "utf8" });
      expect(
        `${stdout}${stderr}`.split("\n").filter((line) => line.includes(filesOf(role).name)),
        role,
      ).toEqual([]);
      const exposure = /exposure level for \S+: ([\d.]+)/.exec(
        execFileSync(ANALYZE, ["security", "--offline=true", "--no-pager", path], { encoding: "utf8" }),
      )?.[1];
      expect(Number(exposure), role).toBeLessThan(2);
    }
  });
});

describe("install-service", () => {
  let directory: TemporaryDirectory;
  let ran: string[];
  let hasUser: boolean;
  const machine = (): Machine => ({
    root: directory.path,
    ...{ isRoot: true, runsSystemd: true },
    run: async (program, words) => {
      ran.push([program, ...words].join(" ").replaceAll(directory.path, ""));
      if (program === "getent" && !hasUser) throw new Error("no such user");
    },
  });
  const install = async (role: ProcessRole): Promise<readonly string[]> => {
    const { steps } = await planInstallation({ role, device: "cpu", node: process.execPath, program: PROGRAM }, machine());
    for (const step of steps) await step.run();
    return steps.map(({ what }) => what);
  };
  const modeOf = async (path: string): Promise<number> => (await stat(join(directory.path, path))).mode & 0o777;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    [ran, hasUser] = [[], false];
  });
  afterEach(() => directory.remove());

  it("makes the user, the settings for it alone, the unit and the shared folder, and tells systemd last", async () => {
    const before = process.umask(0o077);
    await install("worker");
    process.umask(before);
    expect(ran.some((line) => line.startsWith("useradd --system") && line.endsWith(" openchs"))).toBe(true);
    expect(ran.at(-1)).toBe("systemctl daemon-reload");
    const { unitPath, unit, environmentPath, environment } = filesOf("worker");
    expect(await readFile(join(directory.path, unitPath), "utf8")).toBe(unit);
    expect(await readFile(join(directory.path, environmentPath), "utf8")).toBe(environment);
    expect(await Promise.all([unitPath, environmentPath, "/etc/openchs-ai", "/srv/openchs", "/srv/openchs/recordings"].map(modeOf))).toEqual([
      0o644, 0o640, 0o750, 0o755, 0o700,
    ]);
    expect(ran).toEqual(expect.arrayContaining(["chown root:openchs /etc/openchs-ai/openchs-ai-worker.env", "chown openchs:openchs /srv/openchs/recordings"]));
  });

  it("brings the unit up to date, and leaves the user and what the operator has set", async () => {
    await install("serve");
    const { unitPath, unit, environmentPath } = filesOf("serve");
    await writeFile(join(directory.path, environmentPath), "DEFAULT_LANGUAGES=lg\n");
    await writeFile(join(directory.path, unitPath), `${unit}\n# of an older version\n`);
    [ran, hasUser] = [[], true];
    await install("serve");
    expect(await readFile(join(directory.path, environmentPath), "utf8")).toBe("DEFAULT_LANGUAGES=lg\n");
    expect(await readFile(join(directory.path, unitPath), "utf8")).toBe(unit);
    expect(ran.some((line) => line.startsWith("useradd"))).toBe(false);
  });

  it("refuses, in a sentence that says what to do, without systemd, without root, from a home, and over another's unit", async () => {
    const options = { role: "serve", device: "cpu", node: process.execPath, program: PROGRAM } as const;
    const refusalOf = async (changed: Partial<Machine>, program: string = PROGRAM): Promise<string> =>
      planInstallation({ ...options, program }, { ...machine(), ...changed }).then(
        () => "nothing",
        (error: { code: string; safeMessage: string }) => `${error.code} ${error.safeMessage}`,
      );
    expect(await refusalOf({ runsSystemd: false })).toMatch(/^CONFIG_INVALID .*systemd does not run.*--print/);
    expect(await refusalOf({ isRoot: false })).toMatch(/^CONFIG_INVALID .*sudo/);
    expect(await refusalOf({}, "/home/amina/openchs-ai/dist/cli/main.js")).toMatch(/^CONFIG_INVALID .*\/opt/);
    const { unitPath } = filesOf("serve");
    await mkdir(join(directory.path, "/etc/systemd/system"), { recursive: true });
    await writeFile(join(directory.path, unitPath), "[Service]\nExecStart=/bin/true\n");
    await chmod(join(directory.path, unitPath), 0o644);
    expect(await refusalOf({})).toMatch(/^CONFIG_INVALID .*somebody else/);
    expect(ran).toEqual([]);
  });
});
