import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { startSqliteHarness } from "../support/storage-harness.js";
import { openStorageParts, START_MS } from "../support/storage-parts.js";
import { describeStorageContract } from "./storage-contract.js";

describeStorageContract("SQLite", startSqliteHarness);

describe("the word index of SQLite", () => {
  it("holds no word of a call that is deleted", async () => {
    const harness = await startSqliteHarness();
    const parts = openStorageParts((await harness.createDatabase())());
    const countIndexed = async (): Promise<number> => (await sql`select term from temp.indexed_words`.execute(parts.database.sql)).rows.length;
    await sql`create virtual table temp.indexed_words using fts5vocab(main, call_text_index, row)`.execute(parts.database.sql);
    const counts: number[] = [];
    const { callId } = await parts.insertCall();
    const text = { callId, sealer: await parts.calls.openSealer(callId), startedAtMs: START_MS, passages: [], words: ["mtoto"] };
    await parts.work((unit) => parts.callTexts.save(text, unit));
    counts.push(await countIndexed());
    await parts.work((unit) => parts.calls.removeCall(callId, unit));
    counts.push(await countIndexed());
    // The word, and its first three, four and five letters.
    expect(counts).toEqual([4, 0]);
    await harness.stop();
  });
});
