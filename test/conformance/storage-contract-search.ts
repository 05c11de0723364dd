/** Text search, on every database: the same calls are found in the same order, whatever the words. */
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { parseSearchQuery, searchableWords } from "../../src/core/text/search-terms.js";
import { fullAnalysis } from "../support/full-analysis.js";
import { START_MS, type StorageParts } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

/** A call of some minutes after the start in which this was said. */
async function say(parts: StorageParts, minute: number, text: string, more: Parameters<StorageParts["insertCall"]>[0] = {}): Promise<string> {
  const startedAtMs = START_MS + minute * 60_000;
  const { callId } = await parts.insertCall({ startedAtMs, ...more });
  await save(parts, { callId, startedAtMs }, text);
  return callId;
}

async function save(parts: StorageParts, call: { readonly callId: string; readonly startedAtMs: number }, text: string): Promise<void> {
  const indexed = { ...call, sealer: await parts.calls.openSealer(call.callId), passages: [{ startMs: 1_500, text }], words: searchableWords(text) };
  await parts.work((unitOfWork) => parts.callTexts.save(indexed, unitOfWork));
}

async function find(parts: StorageParts, query: string, more: Partial<Parameters<StorageParts["callTexts"]["search"]>[0]> = {}): Promise<readonly string[]> {
  const terms = parseSearchQuery(query);
  if (terms === undefined) throw new Error("not a query");
  return (await parts.callTexts.search({ terms, filter: {}, limit: 50, ...more })).map(({ callId }) => callId);
}

const dueIds = async (parts: StorageParts): Promise<readonly string[]> => (await parts.callTexts.listDue({ limit: 100 })).map(({ callId }) => callId);

export function describeTextSearch({ openParts }: StorageOfTest): void {
  describe("text search", () => {
    it("finds the calls that have every word, newest first, in any case and with any accent", async () => {
      const parts = await openParts();
      const first = await say(parts, 1, "Mjomba anipiga kila siku baada ya shule");
      const second = await say(parts, 2, "Ng'ombe na mjomba wako shambani");
      const third = await say(parts, 3, "He beats me after school, Muthoni\u0303");
      expect(await find(parts, "MJOMBA")).toEqual([second, first]);
      expect(await find(parts, "shule mjomba")).toEqual([first]);
      expect(await find(parts, "ngombe")).toEqual([second]);
      expect(await find(parts, "muthon\u0129")).toEqual([third]);
      expect(await find(parts, "mjomba school")).toEqual([]);
      expect(await find(parts, "jomba")).toEqual([]);
    });

    it("finds words by their first three to six letters", async () => {
      const parts = await openParts();
      const [beaten, beating] = [await say(parts, 1, "beaten up"), await say(parts, 2, "beating and beatings, anapiga")];
      expect(await find(parts, "bea*")).toEqual([beating, beaten]);
      expect(await find(parts, "beatin*")).toEqual([beating]);
      expect(await find(parts, "beat* anap*")).toEqual([beating]);
      expect(await find(parts, "beat")).toEqual([]);
      expect(await find(parts, "eat*")).toEqual([]);
    });

    it("keeps no word in clear, nor the same under another master key", async () => {
      const [parts, others] = [await openParts(), await openParts()];
      const rows = async (of: StorageParts) => {
        await say(of, 1, "shangazi alinipiga");
        return of.database.sql.selectFrom("call_text").selectAll().execute();
      };
      const [ours, theirs] = [await rows(parts), await rows(others)];
      expect(JSON.stringify(ours)).not.toMatch(/shang|alini/);
      const digests = new Set(ours[0]?.words.split(" "));
      expect(digests.size).toBe(2 + 2 * 4);
      expect(theirs[0]?.words.split(" ").filter((digest) => digests.has(digest))).toEqual([]);
    });

    it("knows no word that says nothing: each can be searched for, and numbers as well", async () => {
      const parts = await openParts();
      // Stop words of the databases' lists, English all, and what their parsers take apart.
      const words = ["about", "from", "how", "the", "this", "what", "will", "with", "www", "und", "1195", "0700123456", "12abc", "1e10", "abc123", "007"];
      const callId = await say(parts, 1, words.join(" "));
      for (const word of words) expect([word, await find(parts, word)]).toEqual([word, [callId]]);
    });

    it("finds words of other scripts", async () => {
      const parts = await openParts();
      const callId = await say(parts, 1, "\u1230\u120b\u121d \u0633\u0644\u0627\u0645 \u0434\u0435\u0442\u0438");
      for (const word of ["\u1230\u120b\u121d", "\u0633\u0644\u0627\u0645", "\u0434\u0435\u0442\u0438", "\u0434\u0435\u0442*"])
        expect([word, await find(parts, word)]).toEqual([word, [callId]]);
    });

    it("pages through calls of one moment and of many without losing or repeating one", async () => {
      const parts = await openParts();
      const said: string[] = [];
      for (const minute of [1, 2, 2, 2, 3, 3, 4]) said.push(await say(parts, minute, "mtoto"));
      await say(parts, 2, "watoto");
      const found: string[] = [];
      let before: { beforePosition?: number } = {};
      for (;;) {
        const page = await parts.callTexts.search({ terms: parseSearchQuery("mtoto") ?? [], filter: {}, limit: 2, ...before });
        found.push(...page.map(({ callId }) => callId));
        const last = page.at(-1);
        if (last === undefined) break;
        before = { beforePosition: last.position };
      }
      expect(found).toHaveLength(7);
      expect(new Set(found)).toEqual(new Set(said));
      expect([found[0], found.at(-1)]).toEqual([said[6], said[0]]);
    });

    it("searches among the calls of a filter", async () => {
      const parts = await openParts();
      const live = await say(parts, 1, "mtoto", { source: "live", status: "completed", languages: ["sw"], agentId: "a7" });
      const upload = await say(parts, 5, "mtoto", { source: "upload", status: "queued", languages: ["en"] });
      expect(await find(parts, "mtoto", { filter: { source: "live", status: "completed", language: "SW", agentId: "a7" } })).toEqual([live]);
      expect(await find(parts, "mtoto", { filter: { startedFromMs: START_MS + 120_000 } })).toEqual([upload]);
      expect(await find(parts, "mtoto", { filter: { startedBeforeMs: START_MS + 120_000 } })).toEqual([live]);
    });

    it("gives back what was said, and when", async () => {
      const parts = await openParts();
      const callId = await say(parts, 1, 'He said "mtoto" \ud83d\ude00 \\ [NAME_1]');
      const [found] = await parts.callTexts.search({ terms: parseSearchQuery("mtoto") ?? [], filter: {}, limit: 1 });
      expect(found).toMatchObject({ callId, passages: [{ startMs: 1_500, text: 'He said "mtoto" \ud83d\ude00 \\ [NAME_1]' }] });
    });

    it("has one text of a call, the last", async () => {
      const parts = await openParts();
      const callId = await say(parts, 1, "mjomba");
      await save(parts, { callId, startedAtMs: START_MS }, "shangazi");
      expect([await find(parts, "mjomba"), await find(parts, "shangazi")]).toEqual([[], [callId]]);
    });

    it("is told of every call that is analysed, once, and of those again that are analysed again", async () => {
      const parts = await openParts();
      const task = await parts.insertTask();
      await parts.calls.insertTask(task.callId, task.taskId);
      expect(await dueIds(parts)).toEqual([]);
      await parts.save(task, fullAnalysis(task).result);
      await parts.save(task, fullAnalysis(task).result);
      expect(await parts.callTexts.listDue({ limit: 10 })).toEqual([{ callId: task.callId, startedAtMs: START_MS, taskId: task.taskId }]);
      await say(parts, 0, "mtoto", { callId: newId() });
      await save(parts, { callId: task.callId, startedAtMs: START_MS }, "mtoto");
      expect(await dueIds(parts)).toEqual([]);
      const second = { ...task, taskId: newId() };
      await parts.save(second, fullAnalysis(second).result);
      expect(await parts.callTexts.listDue({ limit: 10 })).toMatchObject([{ callId: task.callId, taskId: second.taskId }]);
      const locked = await parts.work((unitOfWork) => parts.callTexts.lockDue(task.callId, unitOfWork));
      expect(locked).toEqual({ callId: task.callId, startedAtMs: START_MS, taskId: second.taskId });
      await parts.work((unitOfWork) => parts.callTexts.remove(task.callId, unitOfWork));
      expect([await dueIds(parts), await find(parts, "mtoto")]).toMatchObject([[], [expect.any(String)]]);
    });

    it("lists what is due in pages, and nothing of a call that is gone", async () => {
      const parts = await openParts();
      const tasks = [await parts.insertTask(), await parts.insertTask(), await parts.insertTask()];
      for (const task of tasks) await parts.save(task, fullAnalysis(task).result);
      const [first = "", second = "", third = ""] = tasks.map(({ callId }) => callId).sort();
      expect((await parts.callTexts.listDue({ limit: 2 })).map(({ callId }) => callId)).toEqual([first, second]);
      expect((await parts.callTexts.listDue({ afterCallId: second, limit: 2 })).map(({ callId }) => callId)).toEqual([third]);
      await parts.work((unitOfWork) => parts.calls.removeCall(second, unitOfWork));
      expect(await dueIds(parts)).toEqual([first, third]);
      expect(await parts.work((unitOfWork) => parts.callTexts.lockDue(second, unitOfWork))).toBeUndefined();
    });

    it("never has a synthetic call due, and finds none", async () => {
      const parts = await openParts();
      const tasks = [await parts.insertTask({ source: "synthetic" }), await parts.insertTask({ source: "live" })];
      for (const task of tasks) await parts.save(task, fullAnalysis(task).result);
      expect(await dueIds(parts)).toEqual([tasks[1]?.callId]);
      const callId = await say(parts, 1, "mjomba", { source: "synthetic" });
      expect([await find(parts, "mjomba"), await find(parts, "mjomba", { filter: { source: "synthetic" } })]).toEqual([[], [callId]]);
    });

    it("finds nothing of a call that is deleted, nor of one whose texts are", async () => {
      const parts = await openParts();
      const [gone, silenced, kept] = [await say(parts, 1, "mtoto"), await say(parts, 2, "mtoto"), await say(parts, 3, "mtoto")];
      await parts.work((unitOfWork) => parts.calls.removeCall(gone, unitOfWork));
      await parts.work((unitOfWork) => parts.expiry.removeTexts(silenced, unitOfWork));
      expect(await find(parts, "mtoto")).toEqual([kept]);
    });

    it("can be emptied, and every call it had is due again", async () => {
      const parts = await openParts();
      const [first, second] = [await say(parts, 1, "mtoto"), await say(parts, 2, "mtoto")];
      const task = await parts.insertTask();
      await parts.save(task, fullAnalysis(task).result);
      await parts.work((unitOfWork) => parts.callTexts.removeAll(unitOfWork));
      expect(await find(parts, "mtoto")).toEqual([]);
      expect(await dueIds(parts)).toEqual([first, second, task.callId].sort());
      const { rows } = await sql`select 1 from call_text`.execute(parts.database.sql);
      expect(rows).toEqual([]);
    });
  });
}
