import { randomBytes } from "node:crypto";
import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFilesystemAudioStore } from "../../src/storage/backends/filesystem-audio-store.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { type AudioStoreHarness, describeAudioStoreContract } from "./audio-store-contract.js";

async function createFilesystemHarness(): Promise<AudioStoreHarness> {
  const temporary = await makeTemporaryDirectory();
  const directory = join(temporary.path, "audio");
  const pathOf = async (audioKey: string): Promise<string> => {
    const name = (await readdir(directory)).find((candidate) => candidate.startsWith(audioKey));
    if (name === undefined) throw new Error("no stored file under this key");
    return join(directory, name);
  };
  return {
    store: await createFilesystemAudioStore({ directory }),
    readStored: async (audioKey) => readFile(await pathOf(audioKey)),
    writeStored: async (audioKey, bytes) => writeFile(await pathOf(audioKey), bytes),
    countStored: async () => (await readdir(directory)).length,
    close: temporary.remove,
  };
}

describeAudioStoreContract("filesystem", createFilesystemHarness);

describe("the filesystem audio store", () => {
  const openStore = async () => {
    const temporary = await makeTemporaryDirectory();
    onTestFinished(temporary.remove);
    const directory = join(temporary.path, "audio");
    return { directory, store: await createFilesystemAudioStore({ directory }) };
  };

  it("lets nobody but the service's user read its directory and files", async () => {
    const { directory, store } = await openStore();
    await store.write("recording", Readable.from([Buffer.from("sound")]), randomBytes(32));
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(directory)) expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
  });

  it("removes what a crash left half-written when it opens, and keeps the rest", async () => {
    const { directory, store } = await openStore();
    const callKey = randomBytes(32);
    await store.write("whole", Readable.from([Buffer.from("sound")]), callKey);
    const never = new Readable({ read: () => {} });
    never.push(Buffer.alloc(300_000));
    const crashing = store.write("half", never, callKey).catch(() => "torn");
    await expect.poll(async () => (await readdir(directory)).length).toBe(2);
    const reopened = await createFilesystemAudioStore({ directory });
    expect(await reopened.list()).toEqual(["whole"]);
    expect(await readdir(directory)).toHaveLength(1);
    never.destroy();
    expect(await crashing).toBe("torn");
  });

  it("has closed the file of a write that failed before it removes it: an open that comes later would bring it back", async () => {
    const { directory, store } = await openStore();
    const cut = new Readable({ read: () => {} });
    const writing = store.write("cut", cut, randomBytes(32));
    cut.destroy(new Error("the line dropped"));
    await expect(writing).rejects.toThrow("the line dropped");
    const openFiles = (await readdir("/proc/self/fd")).map((fd) => readlink(join("/proc/self/fd", fd)).catch(() => ""));
    expect((await Promise.all(openFiles)).filter((path) => path.startsWith(directory))).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each(["../outside", "a/b", "", ".", "a".repeat(65), "with space", "nul\0"])("takes no key that could leave its directory: %j", async (audioKey) => {
    const { directory, store } = await openStore();
    const callKey = randomBytes(32);
    await expect(store.write(audioKey, Readable.from([Buffer.from("x")]), callKey)).rejects.toThrow();
    await expect(store.read(audioKey, callKey)).rejects.toThrow();
    await expect(store.remove(audioKey)).rejects.toThrow();
    expect(await readdir(directory)).toEqual([]);
  });
});
