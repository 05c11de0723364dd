/** `openchs-ai watch` when something goes away in the middle: the service, or the command itself by kill -9. */
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isMissing } from "../support/requirements.js";
import { serve } from "../support/run-cli.js";
import { shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";
import { countCalls, filesIn, put, watch } from "../support/watch-client.js";

const FILES = 8;
const options = { env: { MODEL_PROCESSES: "1" } };

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)));
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(isMissing("pocketsphinx", "ffmpeg"))("openchs-ai watch, interrupted", () => {
  let root: TemporaryDirectory;
  let directory: string;
  let data: string;
  let keyFile: string;

  beforeEach(async () => {
    root = await makeTemporaryDirectory();
    directory = join(root.path, "watched");
    data = join(root.path, "data");
    keyFile = join(data, "admin.key");
    mkdirSync(directory);
  });
  afterEach(() => root.remove());

  const done = (): readonly string[] => filesIn(directory, "done");
  const names = Array.from({ length: FILES }, (_, index) => `call-${index}.wav`);
  /** Alike in content: what tells them apart is their name and time. */
  const putFiles = (from = 0, to = FILES): void => {
    for (const name of names.slice(from, to)) put(directory, name, shortClip("silent-prank", 1));
  };

  it("analyses no file twice and none not at all when it is killed again and again", async () => {
    await using service = await serve(data, options);
    // Killed as soon as the service has a new call: before the file of it can have been moved.
    for (let kill = 0; kill < 3; kill += 1) {
      putFiles(kill * 2, kill * 2 + 2);
      const before = await countCalls(service);
      await using watching = watch(directory, { to: service.url, keyFile });
      await until("the service has one more call", async () => (await countCalls(service)) > before, 60_000, 30);
      await watching.end("SIGKILL");
    }
    putFiles(6);
    await using last = watch(directory, { to: service.url, keyFile, isOnce: true });
    expect(await last.ended, last.errorLines().join("\n")).toBe(0);
    expect(done()).toEqual(names);
    expect(filesIn(directory, "refused")).toEqual([]);
    expect(await countCalls(service)).toBe(FILES);
  });

  it("analyses no file twice when it is killed while files are analysed and moved", async () => {
    await using service = await serve(data, options);
    putFiles();
    await using first = watch(directory, { to: service.url, keyFile });
    await until("two are done", () => done().length >= 2, 60_000, 10);
    await first.end("SIGKILL");
    await using second = watch(directory, { to: service.url, keyFile, isOnce: true });
    expect(await second.ended, second.errorLines().join("\n")).toBe(0);
    expect(done()).toEqual(names);
    expect(await countCalls(service)).toBe(FILES);
  });

  it("waits for a service that is not there yet, says so in one line, and goes on when it is", async () => {
    const port = await freePort();
    // The first start makes the key.
    const first = await serve(data, options);
    await first.end("SIGTERM");
    put(directory, "early.wav", shortClip("silent-prank", 2));
    await using watching = watch(directory, { to: `http://127.0.0.1:${port}`, keyFile });
    await until("it says that the service is away", () => watching.errorLines().length > 0, 30_000, 25);
    await using service = await serve(data, { ...options, commandLine: ["--port", String(port)] });
    await until("the file is done", () => done().length === 1, 60_000, 100);
    expect(watching.errorLines()).toHaveLength(1);
    expect(await countCalls(service)).toBe(1);
    expect(watching.child.exitCode).toBeNull();
  });

  it("goes on after the service was killed and started again, with every file analysed once", async () => {
    const port = await freePort();
    const first = await serve(data, { ...options, commandLine: ["--port", String(port)] });
    putFiles();
    await using watching = watch(directory, { to: `http://127.0.0.1:${port}`, keyFile });
    await until("two are done", () => done().length >= 2, 60_000, 10);
    await first.end("SIGKILL");
    await until("it says that the service is away", () => watching.errorLines().length > 0, 60_000, 25);
    await using second = await serve(data, { ...options, commandLine: ["--port", String(port)] });
    await until("all are done", () => done().length === FILES, 120_000, 100);
    expect(done()).toEqual(names);
    expect(filesIn(directory, "refused")).toEqual([]);
    expect(await countCalls(second)).toBe(FILES);
    expect(watching.errorLines()).toHaveLength(1);
  });
});
