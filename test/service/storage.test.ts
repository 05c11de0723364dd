import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fullAnalysis } from "../support/full-analysis.js";
import { openStorageParts } from "../support/storage-parts.js";
import { openTestDatabase } from "../support/test-database.js";

describe("what lies on the disk", () => {
  it("holds no word of a call in any byte of the database and the files beside it", async () => {
    const { database, directory } = await openTestDatabase();
    const { analyses, insertTask, save } = openStorageParts(database);
    const task = await insertTask();
    const { result, words } = fullAnalysis(task);
    for (const report of result.stages) await analyses.saveStage(task, { report, output: { whole: result } }, 1);
    const search = async (): Promise<{ names: string[]; found: string[]; hasTask: boolean }> => {
      const names = (await readdir(directory)).sort();
      const bytes = Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))));
      const forms = [...words, "Wumbazo"].flatMap((word) => [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")]);
      return { names, found: forms.filter((form) => bytes.includes(form)).map(String), hasTask: bytes.includes(task.taskId) };
    };
    // The task's id lies there in clear: proof that what was stored is in the bytes searched.
    expect(await search()).toEqual({ names: ["test.db", "test.db-shm", "test.db-wal"], found: [], hasTask: true });
    await save(task, result);
    expect(await search()).toMatchObject({ found: [], hasTask: true });
    await database.close();
    expect(await search()).toMatchObject({ found: [], hasTask: true });
  });
});
