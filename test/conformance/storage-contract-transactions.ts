/** Transactions, batches, and values of every kind. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { executorOf } from "../../src/storage/unit-of-work.js";
import { jobRow } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

const TEXTS = [
  "",
  " ",
  "a ",
  "😀👨‍👩‍👧‍👦",
  "ﷺ",
  "Ma'rifat \\ \" ` ; -- %_?",
  "$1 :x ?",
  "\u0001\u001f\u007f",
  "\u200b\u2028\ufeff",
  "e\u0301 é",
  "İıſß",
  "\uffff",
];

export function describeTransactions({ createDatabase, openParts }: StorageOfTest): void {
  describe("a unit of work", () => {
    it("tells of its end only once it has committed", async () => {
      const { calls, insertCall, jobs, work } = await openParts();
      const { callId } = await insertCall();
      const told: string[] = [];
      const failing = work(async (unitOfWork) => {
        unitOfWork.afterCommit(() => told.push("failed"));
        await calls.updateOutcome(callId, { status: "failed" }, unitOfWork);
        await jobs.insert([jobRow()], unitOfWork);
        throw new RangeError("something else went wrong");
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect([await calls.findStatus(callId), told]).toEqual(["queued", []]);
      await work(async (unitOfWork) => {
        unitOfWork.afterCommit(() => told.push("stored"));
        await calls.updateOutcome(callId, { status: "completed" }, unitOfWork);
        expect(told).toEqual([]);
      });
      expect([await calls.findStatus(callId), told]).toEqual(["completed", ["stored"]]);
    });

    it("leaves the database usable after a statement was refused in it", async () => {
      const { calls, insertCall, sealers, work } = await openParts();
      const call = await insertCall();
      for (let time = 0; time < 12; time += 1) {
        const failing = work(async (unitOfWork) => {
          await calls.updateOutcome(call.callId, { status: "failed" }, unitOfWork);
          await calls.insertCall(call, sealers.wrap(call.callId, sealers.newCallKey()), unitOfWork);
        });
        await expect(failing).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      }
      expect(await calls.findStatus(call.callId)).toBe("queued");
    });
  });

  describe("a batch", () => {
    it("answers each statement, and is stored whole or not at all", async () => {
      const { database, insertCall } = await openParts();
      const { callId } = await insertCall();
      const { sql } = database;
      const change = sql.updateTable("call").set({ agent_id: "a" }).where("call_id", "=", callId).compile();
      const read = sql.selectFrom("call").select(["agent_id", "started_at_ms"]).where("call_id", "=", callId).compile();
      const none = sql.updateTable("call").set({ agent_id: "b" }).where("call_id", "=", "none").compile();
      const results = await database.batch([change, read, none]);
      expect(results.map(({ changes }) => changes)).toEqual([1, 0, 0]);
      expect(results[1]?.rows.map((row) => ({ ...row }))).toEqual([{ agent_id: "a", started_at_ms: 1_700_000_000_123 }]);
      expect(await database.batch([])).toEqual([]);
      const refused = sql.insertInto("call_task").values({ task_id: newId(), call_id: "none" }).compile();
      const undone = sql.updateTable("call").set({ agent_id: "c" }).where("call_id", "=", callId).compile();
      await expect(database.batch([undone, refused])).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      expect((await database.batch([read]))[0]?.rows[0]).toMatchObject({ agent_id: "a" });
    });
  });

  describe("values", () => {
    it("come back as they were: every character, and times as numbers", async () => {
      const { calls, database, insertCall } = await openParts();
      for (const [index, agentId] of TEXTS.entries()) {
        const startedAtMs = Number.MAX_SAFE_INTEGER - index;
        const { callId } = await insertCall({ agentId, startedAtMs, endedAtMs: 0, durationMs: -1 });
        expect(await calls.findCall(callId)).toMatchObject({ agentId, startedAtMs, endedAtMs: 0, durationMs: -1 });
        const found = await database.sql.selectFrom("call").select("call_id").where("agent_id", "=", agentId).execute();
        expect([agentId, found]).toEqual([agentId, [{ call_id: callId }]]);
      }
      const { fn } = database.sql;
      const sums = await database.sql
        .selectFrom("call")
        .select([fn.max("started_at_ms").as("latest"), fn.countAll().as("count"), fn.sum("duration_ms").as("sum")])
        .executeTakeFirstOrThrow();
      expect([sums.latest, sums.count, Number(sums.sum)]).toEqual([Number.MAX_SAFE_INTEGER, TEXTS.length, -TEXTS.length]);
    });

    it("are refused everywhere when they hold a NUL, which not every database keeps", async () => {
      const { database, insertCall, work } = await openParts();
      await expect(insertCall({ agentId: "a\0b" })).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      const query = (unitOfWork?: Parameters<Parameters<typeof work>[0]>[0]) =>
        executorOf(database, unitOfWork).selectFrom("call").select("call_id").where("agent_id", "=", "\0");
      await expect(work((unitOfWork) => query(unitOfWork).execute())).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      await expect(database.batch([query().compile()])).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
    });
  });

  describe("a database that was closed", () => {
    it("refuses what comes later, and is closed only when what ran has ended", async () => {
      const open = await createDatabase();
      const database = open();
      const running = database.sql.selectFrom("call").select("call_id").execute();
      await running;
      await database.close();
      await database.close();
      await expect(database.sql.selectFrom("call").select("call_id").execute()).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
      await expect(database.batch([open().sql.selectFrom("call").select("call_id").compile()])).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    });
  });
}
