/** The journal of live calls on a real disk: what was written is read, also from a file that was cut off. */
import { appendFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFilesystemLiveJournal } from "../../src/storage/backends/filesystem-live-journal.js";
import type { JournalAudio, LiveJournal } from "../../src/storage/live-journal.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const KEY = Buffer.alloc(32, 7);
const CALL = "1755070077.79708";

function piece(channel: number, startMs: number, count = 160): JournalAudio {
  return { channel, sampleRateHz: 8_000, startMs, sampleCount: count, samples: Int16Array.from({ length: count }, (_, index) => startMs * 10 + index) };
}

describe("the live journal", () => {
  let directory: TemporaryDirectory;
  let journal: LiveJournal;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    journal = await createFilesystemLiveJournal({ directory: directory.path, writeIntervalMs: 20, syncIntervalMs: 100 });
  });
  afterEach(() => directory.remove());

  const readAll = async (key = KEY): Promise<readonly JournalAudio[]> => {
    const found: JournalAudio[] = [];
    for await (const audio of journal.read(CALL, key)) found.push(audio);
    return found;
  };
  const fileOf = async (): Promise<string> => join(directory.path, (await readdir(directory.path))[0] ?? "");
  const open = () =>
    journal.open(CALL, KEY, (error) => {
      throw error;
    });

  it("gives back every sample of every channel, in its place", async () => {
    const writer = await open();
    for (let frame = 0; frame < 50; frame++) for (const channel of [0, 1]) writer.write(piece(channel, frame * 20));
    writer.write({ channel: 0, sampleRateHz: 8_000, startMs: 1_000, sampleCount: 800, samples: null });
    await writer.close();
    const found = await readAll();
    for (const channel of [0, 1]) {
      const samples = found.filter((audio) => audio.channel === channel && audio.samples !== null).flatMap((audio) => [...(audio.samples ?? [])]);
      expect(samples).toEqual(Array.from({ length: 50 }, (_, frame) => [...(piece(channel, frame * 20).samples ?? [])]).flat());
    }
    expect(found.filter(({ samples }) => samples === null)).toMatchObject([{ startMs: 1_000, sampleCount: 800 }]);
  });

  it("is on the disk within its interval, without anybody closing it", async () => {
    const writer = await open();
    writer.write(piece(0, 0));
    await until("it was written", async () => (await readAll()).length === 1, 5_000, 10);
    await writer.close();
  });

  it("gives what was written whole of a file whose end was torn off", async () => {
    const writer = await open();
    writer.write(piece(0, 0));
    await writer.flush();
    writer.write(piece(0, 500));
    await writer.close();
    const file = await fileOf();
    await truncate(file, (await readFile(file)).length - 5);
    expect((await readAll()).map(({ startMs }) => startMs)).toEqual([0]);
    await appendFile(file, Buffer.alloc(3));
  });

  it("holds no sample in clear, and opens under no other key nor after a change", async () => {
    const writer = await open();
    writer.write({ ...piece(0, 0), samples: new Int16Array(160).fill(0x4142) });
    await writer.close();
    const file = await fileOf();
    const bytes = await readFile(file);
    expect(bytes.includes("BABABABA")).toBe(false);
    await expect(readAll(Buffer.alloc(32, 8))).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(readAll()).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
  });

  it("goes on in another part, lists its calls and removes all parts", async () => {
    for (const startMs of [0, 5_000]) {
      const writer = await open();
      writer.write(piece(0, startMs));
      await writer.close();
    }
    expect((await readAll()).map(({ startMs }) => startMs)).toEqual([0, 5_000]);
    expect(await journal.list()).toEqual([CALL]);
    await journal.remove(CALL);
    expect(await journal.list()).toEqual([]);
  });

  it("writes an empty call as nothing", async () => {
    await (await open()).close();
    expect(await readAll()).toEqual([]);
  });
});
