/** A restore drill: a service is backed up while it works, and another goes on from the backup elsewhere. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type BackupOptions, makeBackup } from "../../src/app/backup/make-backup.js";
import { type RestoreOptions, restoreBackup } from "../../src/app/backup/restore-backup.js";
import { loadConfig } from "../../src/config/load-config.js";
import { ask } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { analysed, uploaded } from "../support/recording-client.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const PASSPHRASE = "correct horse battery staple";

const configOf = (dataDirectory: string) => loadConfig({ argv: { DATA_DIR: dataDirectory } });
const backUp = (gateway: TestGateway, options: BackupOptions) => makeBackup(configOf(gateway.dataDirectory), options);
const restore = (dataDirectory: string, options: RestoreOptions) => restoreBackup(configOf(dataDirectory), options);

describe("a backup", () => {
  let gateway: TestGateway;
  let temporary: TemporaryDirectory;
  let backup: string;
  let callId: string;
  const place = (name: string): string => join(temporary.path, name);

  beforeAll(async () => {
    temporary = await makeTemporaryDirectory();
    gateway = await startGateway();
    const { accepted } = await analysed(gateway, quietClip("kept"));
    callId = accepted.call_id;
    backup = place("backup");
    // While more comes in.
    const uploads = Array.from({ length: 5 }, (_, index) => uploaded(gateway, quietClip(`later ${index}`)));
    const report = await backUp(gateway, { directory: backup, passphrase: PASSPHRASE });
    await Promise.all(uploads);
    expect(report.missing).toBe(0);
    expect(report.calls).toBeGreaterThanOrEqual(1);
    expect(report.recordings).toBeGreaterThanOrEqual(1);
  });
  afterAll(async () => {
    await gateway.stop();
    await temporary.remove();
  });

  it("is gone on from elsewhere: same keys, same analysis, same sound, whole audit log", async () => {
    const dataDirectory = place("restored");
    const { auditRecords } = await restore(dataDirectory, { directory: backup, passphrase: PASSPHRASE });
    expect(auditRecords).toBeGreaterThan(0);
    const paths = [`/api/v1/calls/${callId}`, `/api/v1/calls/${callId}/analysis`, `/api/v1/calls/${callId}/audio?format=original`];
    const before = await Promise.all(paths.map((path) => ask(gateway, path)));
    const again = await startGateway({}, { dataDirectory, keys: gateway.keys });
    onTestFinished(() => again.stop());
    for (const [index, path] of paths.entries()) {
      const answer = await ask(again, path);
      expect([path, answer.status, answer.body.equals(before[index]?.body ?? Buffer.alloc(0))]).toEqual([path, 200, true]);
    }
    const { accepted } = await analysed(again, quietClip("after"));
    expect((await ask(again, `/api/v1/calls/${accepted.call_id}/analysis`)).status).toBe(200);
  });

  it("holds no key in clear and nothing that others may read", async () => {
    const key = (await readFile(join(gateway.dataDirectory, "master.key"), "utf8")).trim();
    const files = await readdir(backup, { recursive: true, withFileTypes: true });
    const contents = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))));
    expect(contents.length).toBeGreaterThan(20);
    expect(contents.some((content) => content.includes(key) || content.includes(Buffer.from(key, "base64")))).toBe(false);
  });

  it("is never written over", async () => {
    await expect(backUp(gateway, { directory: backup })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(await readdir(temporary.path)).not.toContain("backup.partial");
    await restore(place("still-whole"), { directory: backup, passphrase: PASSPHRASE });
  });

  it("of nothing, or with a wrong master key, is refused and leaves nothing behind", async () => {
    await expect(makeBackup(configOf(place("nothing")), { directory: place("of nothing") })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const stolen = place("stolen");
    await cp(gateway.dataDirectory, stolen, { recursive: true });
    await writeFile(join(stolen, "master.key"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
    await expect(makeBackup(configOf(stolen), { directory: place("of stolen") })).rejects.toMatchObject({ code: "SECURITY_MASTER_KEY_INVALID" });
    expect((await readdir(temporary.path)).filter((name) => name.startsWith("of ") || name === "nothing")).toEqual([]);
  });

  it("does not go where a service runs or has run", async () => {
    await expect(restore(gateway.dataDirectory, { directory: backup, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: "CONFIG_DATA_DIRECTORY_IN_USE" });
    const used = place("used");
    await restore(used, { directory: backup, passphrase: PASSPHRASE });
    await expect(restore(used, { directory: backup, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: "STORAGE_NOT_EMPTY" });
  });

  it("needs its master key, or the passphrase", async () => {
    const attempts: readonly [string, RestoreOptions, string][] = [
      ["no-key", { directory: backup }, "SECURITY_MASTER_KEY_INVALID"],
      ["wrong-phrase", { directory: backup, passphrase: "something else entirely" }, "SECURITY_DECRYPTION_FAILED"],
    ];
    for (const [name, options, code] of attempts) await expect(restore(place(name), options), name).rejects.toMatchObject({ code });
    await mkdir(place("other-key"));
    await writeFile(join(place("other-key"), "master.key"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
    await expect(restore(place("other-key"), { directory: backup, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: "SECURITY_MASTER_KEY_INVALID" });
    const without = place("backup-without-key");
    await backUp(gateway, { directory: without });
    await expect(restore(place("no-key-in-it"), { directory: without, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: "SECURITY_MASTER_KEY_INVALID" });
    await mkdir(place("key-in-place"));
    await cp(join(gateway.dataDirectory, "master.key"), join(place("key-in-place"), "master.key"));
    expect((await restore(place("key-in-place"), { directory: without })).calls).toBeGreaterThanOrEqual(6);
  });

  it.each<[string, (directory: string) => Promise<void>]>([
    ["has lost a table", (directory) => rm(join(directory, "database", "call.ndjson.gz"))],
    ["has a table cut short", (directory) => truncate(join(directory, "database", "analysis.ndjson.gz"))],
    ["has lost a recording", async (directory) => rm(join(directory, "audio", (await readdir(join(directory, "audio")))[0] ?? ""))],
    ["has a recording changed", async (directory) => change(join(directory, "audio", (await readdir(join(directory, "audio")))[0] ?? ""))],
    ["has another manifest", (directory) => edit(join(directory, "manifest.json"), '"lines": 1', '"lines": 2')],
    ["has no manifest", (directory) => rm(join(directory, "manifest.json"))],
  ])("that %s is refused, and can be restored once it is whole", async (name, harm) => {
    const harmed = place(`harmed ${name}`);
    await cp(backup, harmed, { recursive: true });
    await harm(harmed);
    const target = place(`target ${name}`);
    await expect(restore(target, { directory: harmed, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: "STORAGE_BACKUP_INVALID" });
    expect((await restore(target, { directory: backup, passphrase: PASSPHRASE })).recordings).toBeGreaterThanOrEqual(1);
  });
});

async function truncate(path: string): Promise<void> {
  const content = await readFile(path);
  await writeFile(path, content.subarray(0, content.length - 5));
}

async function change(path: string): Promise<void> {
  const content = await readFile(path);
  content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
  await writeFile(path, content);
}

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, "utf8");
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}
