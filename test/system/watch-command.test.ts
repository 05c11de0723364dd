/** `openchs-ai watch` as an operator uses it: what is taken and when, where it goes, and that no file is analysed twice. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isMissing } from "../support/requirements.js";
import { runCli, type ServedService, serve } from "../support/run-cli.js";
import { shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";
import { countCalls, filesIn, put, type WatchOptions, type WatchProcess, watch } from "../support/watch-client.js";

const good = (seconds = 1): Buffer => shortClip("silent-prank", seconds);
const LETTER = "Dear helpline, this is a letter and no recording, whatever its name says.\n";

describe.skipIf(isMissing("pocketsphinx", "ffmpeg"))("openchs-ai watch", () => {
  let root: TemporaryDirectory;
  let service: ServedService;
  let keyFile: string;
  let directory: string;
  let count = 0;

  beforeAll(async () => {
    root = await makeTemporaryDirectory();
    service = await serve(join(root.path, "data"), { env: { MODEL_PROCESSES: "1" } });
    keyFile = join(root.path, "data", "admin.key");
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await root.remove();
  });
  beforeEach(() => {
    count += 1;
    directory = join(root.path, `watched-${count}`);
    mkdirSync(directory);
  });

  const start = (options: Partial<WatchOptions> = {}): WatchProcess => watch(directory, { to: service.url, keyFile, ...options });
  const once = async (options: Partial<WatchOptions> = {}): Promise<WatchProcess & { readonly exitCode: number | null }> => {
    const process = start({ isOnce: true, ...options });
    return Object.assign(process, { exitCode: await process.ended });
  };
  const done = (): readonly string[] => filesIn(directory, "done");
  const refused = (): readonly string[] => filesIn(directory, "refused");

  it("takes what is there, moves it to done, and ends with 0", async () => {
    const before = await countCalls(service);
    put(directory, "a.wav", good(1));
    put(directory, "b.wav", good(2));
    const { exitCode, errorLines } = await once();
    expect(exitCode, errorLines().join("\n")).toBe(0);
    expect(done()).toEqual(["a.wav", "b.wav"]);
    expect(readdirSync(directory).filter((name) => name !== "done" && name !== "refused")).toEqual([]);
    expect(refused()).toEqual([]);
    expect(await countCalls(service)).toBe(before + 2);
    expect(readFileSync(join(directory, "done", "b.wav")).equals(good(2))).toBe(true);
  });

  it("moves what is no recording to refused, with the reason beside it, and ends with 2 when all is so", async () => {
    const before = await countCalls(service);
    put(directory, "letter.wav", LETTER);
    put(directory, "empty.wav", "");
    put(directory, "noise.flac", Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)]));
    const { exitCode, errorLines } = await once();
    expect(exitCode).toBe(2);
    expect(refused()).toEqual(["empty.wav", "empty.wav.reason.txt", "letter.wav", "letter.wav.reason.txt", "noise.flac", "noise.flac.reason.txt"]);
    const reasonOf = (name: string): string => readFileSync(join(directory, "refused", `${name}.reason.txt`), "utf8");
    expect(reasonOf("letter.wav")).toContain("AUDIO_UNSUPPORTED_FORMAT");
    expect(reasonOf("empty.wav")).toContain("AUDIO_EMPTY");
    expect(reasonOf("noise.flac")).toContain("AUDIO_CORRUPT");
    for (const name of ["letter.wav", "empty.wav", "noise.flac"]) expect(errorLines().filter((line) => line.includes(name))).toHaveLength(1);
    expect(readFileSync(join(directory, "refused", "letter.wav"), "utf8")).toBe(LETTER);
    expect(done()).toEqual([]);
    // The one that was taken and then could not be decoded is a call all the same.
    expect(await countCalls(service)).toBeLessThanOrEqual(before + 1);
  });

  it("ends with 4 when some are refused, and keeps folders apart", async () => {
    put(directory, "good.wav", good());
    put(directory, join("2026", "11", "letter.wav"), LETTER);
    put(directory, join("2026", "11", "deep.wav"), good(2));
    put(directory, join("2026", "12", "deep.wav"), good(3));
    const { exitCode } = await once();
    expect(exitCode).toBe(4);
    expect(done()).toHaveLength(3);
    expect(done().filter((name) => name.includes("deep"))).toHaveLength(2);
    expect(refused().filter((name) => name.endsWith("letter.wav"))).toHaveLength(1);
    expect(refused().filter((name) => name.endsWith(".reason.txt"))).toHaveLength(1);
  });

  it("ends with 0 at once when nothing is there", async () => {
    expect((await once()).exitCode).toBe(0);
    expect((await once()).exitCode).toBe(0);
  });

  it("passes over hidden and unfinished files, and over what it moved aside", async () => {
    for (const name of [".hidden.wav", "growing.wav.part", "growing.part", join(".git", "a.wav")]) put(directory, name, good());
    put(directory, join("done", "old.wav"), good());
    put(directory, join("refused", "older.wav"), good());
    const before = await countCalls(service);
    put(directory, "seen.wav", good());
    expect((await once()).exitCode).toBe(0);
    expect(await countCalls(service)).toBe(before + 1);
    expect(done()).toEqual(["old.wav", "seen.wav"]);
    for (const name of [".hidden.wav", "growing.wav.part", "growing.part"]) expect(existsSync(join(directory, name)), name).toBe(true);
  });

  it("copes with names full of shell characters, line breaks and letters of any script", async () => {
    const names = [
      "$(touch x); `id` & 'q' \"d\".wav",
      "line\nbreak.wav",
      "carriage\rreturn.wav",
      "simu ya mtoto 👧🏾.wav",
      "--help.wav",
      "ሰላም.wav",
      "%2e%2e.wav",
      "a\\b.wav",
    ];
    const before = await countCalls(service);
    for (const [index, name] of names.entries()) put(directory, name, good(1 + (index % 3)));
    const { exitCode, errorLines } = await once();
    expect(exitCode, errorLines().join("\n")).toBe(0);
    expect(done()).toEqual([...names].sort());
    expect(await countCalls(service)).toBe(before + names.length);
    expect(readdirSync(".")).not.toContain("x");
  });

  it("lets no file's name forge a line of what it prints", async () => {
    put(directory, "a\nFORGED all is well\n.wav", LETTER);
    put(directory, "b\r\u001b[2KFORGED.wav", LETTER);
    put(directory, "c\nFORGED done.wav", good());
    const { exitCode, errorLines, stdout } = await once();
    expect(exitCode).toBe(4);
    const lines = [...errorLines(), ...stdout().split("\n")];
    expect(lines.filter((line) => line.startsWith("FORGED"))).toEqual([]);
    expect(lines.filter((line) => line.includes("\r") || line.includes("\u001b"))).toEqual([]);
  });

  it("does not take a file that is still being written, and takes all of it when it is finished", async () => {
    const whole = good(6);
    const path = join(directory, "growing.wav");
    const pieces = 24;
    const size = Math.ceil(whole.length / pieces);
    writeFileSync(path, whole.subarray(0, size));
    let written = 1;
    const before = await countCalls(service);
    await using watching = start({ settleSeconds: 2 });
    const takenEarly: string[] = [];
    const timer = setInterval(() => {
      if (written >= pieces) return;
      if (!existsSync(path)) takenEarly.push(`after piece ${written}`);
      appendFileSync(path, whole.subarray(written * size, (written + 1) * size));
      written += 1;
    }, 250);
    try {
      await until("it is written", () => written >= pieces, 15_000, 25);
      expect(await countCalls(service)).toBe(before);
      await until("it is done", () => done().length === 1, 60_000, 100);
    } finally {
      clearInterval(timer);
    }
    expect(takenEarly).toEqual([]);
    expect(done()).toEqual(["growing.wav"]);
    expect(readFileSync(join(directory, "done", "growing.wav")).equals(whole)).toBe(true);
    const [newest] = (await service.json<{ items: readonly { call_id: string }[] }>("/api/v1/calls?limit=1")).items;
    const original = await service.request(`/api/v1/calls/${newest?.call_id}/audio?format=original`);
    expect(Buffer.from(await original.arrayBuffer()).equals(whole)).toBe(true);
    expect(await watching.end("SIGTERM")).not.toBe(1);
  });

  it("keeps both of two files of the same name that came at different times", async () => {
    const before = await countCalls(service);
    await using watching = start();
    for (const seconds of [1, 2]) {
      put(directory, "call.wav", good(seconds));
      await until("it is done", () => done().length === seconds, 60_000, 100);
    }
    const sizes = done().map((name) => readFileSync(join(directory, "done", name)).length);
    expect(sizes.sort((a, b) => a - b)).toEqual([good(1).length, good(2).length]);
    expect(await countCalls(service)).toBe(before + 2);
    // And two that are refused keep a reason each.
    for (const round of [1, 2]) {
      put(directory, "letter.wav", LETTER.repeat(round));
      await until("it is refused", () => refused().filter((name) => name.endsWith(".reason.txt")).length === round, 60_000, 100);
    }
    expect(refused()).toHaveLength(4);
    expect(watching.child.exitCode).toBeNull();
  });

  it("never calls a recording done that was not analysed, though it has name, size and time of one that was", async () => {
    const before = await countCalls(service);
    const time = new Date("2026-11-01T10:00:00Z");
    const recordings = [shortClip("silent-prank", 2), shortClip("child-labour", 2)];
    expect(recordings[0]?.length).toBe(recordings[1]?.length);
    for (const recording of recordings) {
      put(directory, "call.wav", recording);
      utimesSync(join(directory, "call.wav"), time, time);
      await once();
    }
    const taken = done().map((name) => readFileSync(join(directory, "done", name)));
    expect((await countCalls(service)) - before).toBe(taken.length);
    expect(taken.length + refused().filter((name) => !name.endsWith(".reason.txt")).length).toBe(2);
  });

  it("ends with 2 and one line for a wrong key, and leaves the files where they are", async () => {
    const wrong = join(root.path, "wrong.key");
    writeFileSync(wrong, `oca_${"0".repeat(16)}_${"A".repeat(43)}\n`);
    put(directory, "a.wav", good());
    for (const isOnce of [true, false]) {
      const watching = start({ keyFile: wrong, isOnce });
      expect(await watching.ended).toBe(2);
      expect(watching.errorLines()).toHaveLength(1);
      expect(watching.errorLines()[0]).toContain("AUTH_CREDENTIALS_INVALID");
    }
    expect(existsSync(join(directory, "a.wav"))).toBe(true);
    expect([...done(), ...refused()]).toEqual([]);
  });

  it.each([
    ["a directory that is not there", ["nowhere"], []],
    ["a file for a directory", ["file"], []],
    ["an address that is none", ["."], ["--to", "not an address"]],
    ["an address of another kind", ["."], ["--to", "ftp://127.0.0.1/"]],
    ["a key file that is not there", ["."], ["--key-file", "/nowhere/key"]],
    ["a time to settle that is none", ["."], ["--settle", "soon"]],
    ["a language that is none", ["."], ["--language", "Swahili, please"]],
  ])("ends with 2 and one line for %s", async (_what, [name = ""], options) => {
    put(directory, "a.wav", good());
    writeFileSync(join(root.path, "file"), "");
    const path = name === "." ? directory : join(root.path, name);
    const { exitCode, stdout, stderr } = await runCli(["watch", path, "--once", "--to", service.url, "--key-file", keyFile, "--settle", "0", ...options]);
    expect({ exitCode, lines: stderr.trim().split("\n").length, stdout }).toEqual({ exitCode: 2, lines: 1, stdout: "" });
    expect(stderr.trim()).toMatch(/\b[A-Z]+(_[A-Z]+)+\.?\)?$/);
    expect(existsSync(join(directory, "a.wav"))).toBe(true);
  });
});
