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
    const indexed = async (): Promise<readonly string[]> =>
      (await sql<{ term: string }>`select term from temp.indexed_words order by term`.execute(parts.database.sql)).rows.map(({ term }) => term);
    await sql`create virtual table temp.indexed_words using fts5vocab(main, call_text_index, row)`.execute(parts.database.sql);
    const callIds: string[] = [];
    for (const word of ["kept", "gone"]) {
      const { callId } = await parts.insertCall();
      callIds.push(callId);
      await parts.work((unit) => parts.callTexts.save({ callId, startedAtMs: START_MS, passages: [], words: [word] }, unit));
    }
    expect(await indexed()).toEqual(["gone", "kept"]);
    await parts.work((unit) => parts.calls.removeCall(callIds[1] ?? "", unit));
    expect(await indexed()).toEqual(["kept"]);
    await harness.stop();
  });
});
