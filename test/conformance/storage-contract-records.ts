/** The smaller repositories: keys, batches, questions to models, feedback, the audit log. */
import { describe, expect, it } from "vitest";
import type { AgentFeedback } from "../../src/core/agent-feedback.js";
import { newId } from "../../src/core/ids.js";
import { fullAnalysis } from "../support/full-analysis.js";
import type { StorageOfTest } from "./storage-contract.js";

export function describeRecordStorage({ openParts }: StorageOfTest): void {
  describe("the API key repository", () => {
    it("keeps keys until they are revoked, and revokes each once", async () => {
      const { keys } = await openParts();
      const info = { keyId: "0123456789abcdef", role: "agent", label: "front desk 📞", createdAtMs: 5, revokedAtMs: null } as const;
      await keys.insertKey({ ...info, secretHash: "ab" });
      await keys.insertKey({ ...info, keyId: "fedcba9876543210", createdAtMs: 4, secretHash: "cd" });
      expect(await keys.findKey(info.keyId)).toEqual({ keyId: info.keyId, secretHash: "ab", role: "agent", revokedAtMs: null });
      expect(await keys.findKey(info.keyId.toUpperCase())).toBeUndefined();
      expect((await keys.listKeys()).map(({ keyId, label }) => [keyId, label])).toEqual([
        ["fedcba9876543210", info.label],
        [info.keyId, info.label],
      ]);
      expect(await keys.revokeKey(info.keyId, 9)).toBe(true);
      expect(await keys.revokeKey(info.keyId, 10)).toBe(false);
      expect(await keys.revokeKey("0000000000000000", 10)).toBe(false);
      expect((await keys.findKey(info.keyId))?.revokedAtMs).toBe(9);
      expect(await keys.findKey("0000000000000000")).toBeUndefined();
    });
  });

  describe("the master key's repository", () => {
    it("keeps the first fingerprint, whatever comes after it", async () => {
      const { masterKeys } = await openParts();
      expect(await masterKeys.findFingerprint()).toBeUndefined();
      expect([await masterKeys.saveFingerprint("first"), await masterKeys.saveFingerprint("second")]).toEqual(["first", "first"]);
      expect(await masterKeys.findFingerprint()).toBe("first");
    });
  });

  describe("the batch repository", () => {
    it("gives a batch back in the order of its request, or stores nothing of it", async () => {
      const { batches } = await openParts();
      const items = [
        { taskId: newId(), errorCode: null },
        { taskId: null, errorCode: "AUDIO_EMPTY" as const },
      ];
      const batch = { batchId: newId(), createdAtMs: 77, items: [...items, { taskId: newId(), errorCode: null }] };
      await batches.insertBatch(batch);
      expect(await batches.findBatch(batch.batchId)).toEqual(batch);
      const tooLong = { taskId: "t\0", errorCode: null };
      const refused = { ...batch, batchId: newId(), items: [...items, tooLong] };
      await expect(batches.insertBatch(refused)).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      expect(await batches.findBatch(refused.batchId)).toBeUndefined();
    });
  });

  describe("the repository of questions to models", () => {
    it("keeps a question and its answer, and forgets its sound", async () => {
      const { modelTasks, sealers, work } = await openParts();
      const [taskId, soundId] = [newId(), newId()];
      const key = sealers.newCallKey();
      const question = { modelTask: "entities", question: { text: "Amina 🙂 ni mtoto" } } as const;
      const task = { taskId, actorId: "a", question, audio: null, createdAtMs: 5 };
      const spoken = { modelTask: "speech", question: { language: "sw", engine: "e" } } as const;
      await work(async (unitOfWork) => {
        await modelTasks.insertTask({ ...task, key }, unitOfWork);
        await modelTasks.insertTask({ ...task, taskId: soundId, question: spoken, audio: { audioKey: "k1", container: "wav" }, key }, unitOfWork);
      });
      expect((await modelTasks.findTask(taskId))?.task).toEqual({ ...task, modelTask: "entities", answer: null });
      expect([await modelTasks.usesAudio("k1"), await modelTasks.usesAudio("k2")]).toEqual([true, false]);
      expect([await modelTasks.forgetAudio(soundId), await modelTasks.forgetAudio(soundId)]).toEqual(["k1", null]);
      const answer = { modelTask: "entities", answer: [], model: { task: "entities", engine: "e", id: "i", revision: "r" }, processingMs: 3 } as const;
      await modelTasks.saveAnswer(taskId, answer);
      expect((await modelTasks.findTask(taskId))?.task.answer).toEqual(answer);
      expect(await modelTasks.listOlderThan(6, 1)).toEqual([{ taskId, audioKey: null }]);
      await work((unitOfWork) => modelTasks.removeTasks([taskId], unitOfWork));
      expect(await modelTasks.findTask(taskId)).toBeUndefined();
    });
  });

  describe("the feedback repository", () => {
    it("gives feedback back, in pages, as marks, and with how many results it is of", async () => {
      const { analyses, feedback, insertTask, save } = await openParts();
      const task = await insertTask();
      const { result } = fullAnalysis(task);
      await analyses.saveStage(task, { report: { stage: "entities", status: "completed", durationMs: 1 }, output: {} }, 1);
      await save(task, result);
      const said = (more: Partial<AgentFeedback>): AgentFeedback => ({
        ...{ feedbackId: newId(), callId: task.callId, taskId: task.taskId, task: "ner", item: "NAME 😀", rating: 2, reason: "hapana", agrees: false },
        ...{ correction: { label: "NAME", text: "Wanjiku" }, predictedLabel: "PLACE", predictedText: "Kisumu", actorId: "a", createdAtMs: 9 },
        model: { task: "entities", engine: "e", id: "i", revision: "r" },
        ...more,
      });
      const first = said({});
      const second = said({ task: "qa", rating: null, agrees: null, correction: null, createdAtMs: 10 });
      for (const each of [first, second]) await feedback.insertFeedback(each);
      expect(await feedback.listOfCall(task.callId)).toEqual([first, second]);
      expect(await feedback.listOfCall(task.callId, "qa")).toEqual([second]);
      expect(await feedback.listPage({ fromMs: 0, limit: 1 })).toEqual([first]);
      expect(await feedback.listPage({ fromMs: 0, afterId: first.feedbackId, limit: 5 })).toEqual([second]);
      expect(await feedback.listMarks(10)).toMatchObject([{ taskId: task.taskId, task: "qa", agrees: null, isCorrected: false, isOfOlderResult: false }]);
      expect(await feedback.listMarks(9)).toMatchObject([{ isCorrected: true, agrees: false }, {}]);
      expect([await feedback.countPredictions("entities", 0), await feedback.countPredictions("risk", 0)]).toEqual([1, 0]);
    });
  });

  describe("the audit log", () => {
    it("verifies when it is whole, and finds a record that was changed, removed or added", async () => {
      const { audit, database } = await openParts();
      expect(await audit.verify()).toEqual({ recordCount: 0, brokenAtSeq: null });
      const entry = { atMs: 1, actorId: "a", role: "agent", action: "recording.read", target: "call", outcome: "allowed" } as const;
      for (let index = 0; index < 5; index += 1) await audit.append({ ...entry, atMs: 1_700_000_000_000 + index });
      expect(await audit.verify()).toEqual({ recordCount: 5, brokenAtSeq: null });
      await database.sql.updateTable("audit_record").set({ actor_id: "A" }).where("seq", "=", 3).execute();
      expect(await audit.verify()).toEqual({ recordCount: 2, brokenAtSeq: 3 });
      await database.sql.updateTable("audit_record").set({ actor_id: "a" }).where("seq", "=", 3).execute();
      expect(await audit.verify()).toEqual({ recordCount: 5, brokenAtSeq: null });
      await database.sql.deleteFrom("audit_record").where("seq", "=", 5).execute();
      expect(await audit.verify()).toMatchObject({ brokenAtSeq: 5 });
    });
  });
}
