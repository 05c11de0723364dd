/** Calls with what hangs on them. */
import { describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { createEphemeralMasterKey } from "../../src/security/master-key.js";
import { createSealerFactory } from "../../src/security/sealing/sealed-text.js";
import { createCallRepository } from "../../src/storage/repositories/call-repository.js";
import { fullAnalysis } from "../support/full-analysis.js";
import { START_MS } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

export function describeCallStorage({ openParts }: StorageOfTest): void {
  describe("the call repository", () => {
    it("gives calls back as they were stored, whole and bare", async () => {
      const { calls, insertCall } = await openParts();
      const bare = await insertCall();
      const whole = await insertCall({
        ...{ externalId: "pbx-77", source: "live", direction: "outbound", status: "completed", endedAtMs: START_MS + 98_877, durationMs: 98_877 },
        legs: [
          { streamId: "a", channel: "caller" },
          { streamId: "b", channel: "agent" },
        ],
        ...{ agentId: "agent-5", languages: [], mode: "realtime", legalHold: true },
      });
      expect(await calls.findCall(bare.callId)).toEqual(bare);
      expect(await calls.findCall(whole.callId)).toEqual(whole);
      expect(await calls.findCall(newId())).toBeUndefined();
      expect([await calls.hasCall(bare.callId), await calls.hasCall(newId())]).toEqual([true, false]);
      expect([await calls.findStatus(whole.callId), await calls.findStatus(newId())]).toEqual(["completed", undefined]);
    });

    it("takes ids as long as the wire allows, and tells apart those that differ only in case or a space at the end", async () => {
      const { calls, insertCall } = await openParts();
      const long = `A${"b-._9".repeat(25)}Zz`;
      for (const callId of [long, long.toLowerCase(), "call", "Call", "call "]) await insertCall({ callId, agentId: callId.slice(0, 64) });
      for (const callId of [long, long.toLowerCase(), "call", "Call", "call "]) expect((await calls.findCall(callId))?.agentId).toBe(callId.slice(0, 64));
      expect((await calls.listCalls({ filter: { agentId: "call" }, limit: 9 })).map((call) => call.callId)).toEqual(["call"]);
    });

    it("lists synthetic calls for whoever asks for them, and tells them from others", async () => {
      const { calls, insertCall } = await openParts();
      const [upload, synthetic, live] = [await insertCall(), await insertCall({ source: "synthetic" }), await insertCall({ source: "live" })];
      const listed = async (filter: Parameters<typeof calls.listCalls>[0]["filter"]) =>
        (await calls.listCalls({ filter, limit: 9 })).map(({ callId }) => callId).sort();
      expect(await listed({})).toEqual([upload.callId, live.callId].sort());
      expect(await listed({ source: "synthetic" })).toEqual([synthetic.callId]);
      expect(await calls.findSynthetic([upload.callId, synthetic.callId, newId()])).toEqual(new Set([synthetic.callId]));
      expect(await calls.findSynthetic([])).toEqual(new Set());
    });

    it("refuses a second call with the same id", async () => {
      const { insertCall } = await openParts();
      const { callId } = await insertCall();
      await expect(insertCall({ callId })).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
    });

    it("changes only what an outcome names", async () => {
      const { calls, insertCall } = await openParts();
      const call = await insertCall();
      await calls.updateOutcome(call.callId, { status: "processing" });
      expect(await calls.findCall(call.callId)).toEqual({ ...call, status: "processing" });
      await calls.updateOutcome(call.callId, { status: "completed", durationMs: 5_000, languages: ["lg"] });
      await calls.updateAgent(call.callId, "agent-9");
      expect(await calls.findCall(call.callId)).toEqual({ ...call, status: "completed", durationMs: 5_000, languages: ["lg"], agentId: "agent-9" });
    });

    it("lists pages newest first, in the order of ids' bytes where times are the same", async () => {
      const { calls, insertCall } = await openParts();
      const ids = ["a-b", "aB", "ab", "Ab", "a.b", "a_b", "10", "9"];
      for (const callId of ids) await insertCall({ callId });
      await insertCall({ callId: "newest", startedAtMs: START_MS + 1 });
      const byBytes = [...ids].sort((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)));
      const seen: string[] = [];
      for (let page = await calls.listCalls({ filter: {}, limit: 2 }); page.length > 0; ) {
        seen.push(...page.map(({ callId }) => callId));
        const { startedAtMs = 0, callId = "" } = page.at(-1) ?? {};
        page = await calls.listCalls({ filter: {}, limit: 2, after: { startedAtMs, callId } });
      }
      expect(seen).toEqual(["newest", ...byBytes]);
    });

    it("filters by every field, a language whole and in any case", async () => {
      const { calls, insertCall } = await openParts();
      const swahili = await insertCall({ languages: ["sw-KE", "en"], startedAtMs: START_MS + 5 });
      const luganda = await insertCall({ languages: ["lg"], source: "live", status: "failed", agentId: "agent-1" });
      const idsOf = async (filter: Parameters<typeof calls.listCalls>[0]["filter"]) =>
        (await calls.listCalls({ filter, limit: 9 })).map(({ callId }) => callId);
      expect(await idsOf({ language: "sw-KE" })).toEqual([swahili.callId]);
      expect(await idsOf({ language: "SW-ke" })).toEqual([swahili.callId]);
      expect(await idsOf({ language: "sw" })).toEqual([]);
      expect(await idsOf({ source: "live", status: "failed", agentId: "agent-1" })).toEqual([luganda.callId]);
      expect(await idsOf({ startedFromMs: START_MS + 5 })).toEqual([swahili.callId]);
      expect(await idsOf({ startedBeforeMs: START_MS + 5 })).toEqual([luganda.callId]);
    });

    it("keeps recordings with their call, and none of a unit of work that failed", async () => {
      const { calls, insertCall, work } = await openParts();
      const { callId } = await insertCall();
      const stored = { recordingId: newId(), callId, audioKey: newId(), container: "wav", byteCount: 5_000_000_000, createdAtMs: START_MS + 500 };
      const recording = { ...stored, kind: "original" as const, fingerprint: "abc=" };
      const failing = work(async (unitOfWork) => {
        await calls.insertRecording(recording, unitOfWork);
        throw new RangeError("no job could be made");
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect(await calls.findRecording(recording.recordingId)).toBeUndefined();
      await calls.insertRecording(recording);
      expect(await calls.findRecording(recording.recordingId)).toEqual(recording);
      expect(await calls.listRecordings(callId)).toEqual([recording]);
      await expect(calls.insertRecording({ ...recording, recordingId: newId(), callId: newId() })).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      await calls.removeRecording(recording.recordingId);
      expect(await calls.listRecordings(callId)).toEqual([]);
    });

    it("opens the sealer of a call it has, under the master key it was stored with", async () => {
      const { calls, database, insertCall } = await openParts();
      const { callId } = await insertCall();
      const sealed = (await calls.openSealer(callId)).seal("place", "words");
      expect((await calls.openSealer(callId)).open("place", sealed)).toBe("words");
      await expect(calls.openSealer(newId())).rejects.toMatchObject({ code: "CALL_NOT_FOUND" });
      const stranger = createCallRepository({ database, sealers: createSealerFactory(createEphemeralMasterKey()) });
      await expect(stranger.openSealer(callId)).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
    });

    it("removes a call with everything that hangs on it, and nothing of another", async () => {
      const { analyses, calls, database, events, insertTask, liveCalls, save, work } = await openParts();
      const [gone, stays] = [await insertTask(), await insertTask()];
      for (const task of [gone, stays]) {
        await calls.insertTask(task.callId, task.taskId);
        await calls.insertLeg(task.callId, { streamId: "s", channel: "caller" });
        const recording = { recordingId: newId(), callId: task.callId, kind: "original", audioKey: "k", container: "wav", byteCount: 1 } as const;
        await calls.insertRecording({ ...recording, fingerprint: null, createdAtMs: 1 });
        await analyses.saveStage(task, { report: { stage: "decode", status: "completed", durationMs: 1 }, output: {} }, 1);
        await save(task, fullAnalysis(task).result);
        await work(async (unitOfWork) => {
          await events.append(task, [{ type: "call.started", payload: { taskId: task.taskId, source: "upload" } }], 1, unitOfWork);
          await liveCalls.insert({ callId: task.callId, taskId: task.taskId, language: "sw", isPaired: false }, unitOfWork);
        });
      }
      expect(await work((unitOfWork) => calls.removeCall(gone.callId, unitOfWork))).toBe(true);
      expect(await work((unitOfWork) => calls.removeCall(gone.callId, unitOfWork))).toBe(false);
      for (const table of [
        "call",
        "call_leg",
        "recording",
        "call_task",
        "analysis_stage",
        "analysis",
        "transcript_segment",
        "call_event",
        "live_call",
      ] as const) {
        const rows = await database.sql.selectFrom(table).select("call_id").distinct().execute();
        expect([table, rows]).toEqual([table, [{ call_id: stays.callId }]]);
      }
    });
  });
}
