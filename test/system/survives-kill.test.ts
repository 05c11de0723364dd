/** `kill -9` at a bad moment: everything acknowledged is there, once; and no word lies in any file. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { normalizeWords } from "../../src/core/text/word-alignment.js";
import { isMissing } from "../support/requirements.js";
import { type ServedService, serve } from "../support/run-cli.js";
import { readScript, shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const UPLOADS = 50;

interface Task {
  readonly status: string;
  readonly result?: { readonly transcript: { readonly text: string } | null };
}

async function completedCount(service: ServedService): Promise<number> {
  const { queues } = await service.json<{ queues: { queue: string; completed: number }[] }>("/audio/queue/status");
  return queues.find(({ queue }) => queue === "recordings")?.completed ?? 0;
}

function allBytes(directory: string): Buffer {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  return Buffer.concat(files.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path)));
}

describe.skipIf(isMissing("pocketsphinx"))("fifty uploads and a kill -9", () => {
  it("lose nothing, repeat nothing, and leave no word in clear", async () => {
    const directory = await makeTemporaryDirectory();
    const dataDirectory = join(directory.path, "data");
    const clip = new Blob([new Uint8Array(shortClip("child-violence-home", 3))]);
    try {
      await using first = await serve(dataDirectory);
      const uploads = Array.from({ length: UPLOADS }, () => first.upload(clip, { language: "en" }));
      const taskIds = await Promise.all(uploads);
      expect(new Set(taskIds).size).toBe(UPLOADS);
      await until("some are analysed", async () => (await completedCount(first)) >= 3, 60_000, 100);
      expect(await completedCount(first)).toBeLessThan(UPLOADS);
      await first.end("SIGKILL");

      await using second = await serve(dataDirectory);
      await until("all are analysed", async () => (await completedCount(second)) === UPLOADS, 180_000, 250);
      const tasks = await Promise.all(taskIds.map((taskId) => second.json<Task>(`/audio/task/${taskId}`)));
      expect(tasks.filter(({ status, result }) => status === "completed" && result !== undefined)).toHaveLength(UPLOADS);
      // Every copy of one recording says the same.
      expect(new Set(tasks.map(({ result }) => result?.transcript?.text)).size).toBe(1);
      const heard = normalizeWords(tasks[0]?.result?.transcript?.text ?? "");
      expect(heard.length).toBeGreaterThan(3);

      const bytes = allBytes(dataDirectory);
      const words = [...new Set([...heard, ...readScript("child-violence-home").segments.flatMap(({ text }) => normalizeWords(text))])];
      // Five letters and more, as whole words: shorter runs of letters turn up in any encrypted megabyte.
      const text = bytes.toString("latin1").toLowerCase();
      const isThere = (word: string): boolean => new RegExp(`(?<![a-z])${word}(?![a-z])`).test(text);
      const leaked = words.filter((word) => word.length >= 5 && !STRUCTURAL_WORDS.includes(word) && isThere(word));
      expect(leaked).toEqual([]);
      expect(second.stderr()).not.toMatch(/hello|thank|helpline/i);
      expect(await second.end("SIGTERM")).toBe(0);
      expect(readdirSync(join(dataDirectory, "work"))).toEqual([]);
    } finally {
      await directory.remove();
    }
  });
});

/** Words of the scripts that are also names of ours in the schema or in job steps. */
const STRUCTURAL_WORDS = ["right", "there", "first"];
