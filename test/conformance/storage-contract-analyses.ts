/** Stages and analyses. */
import { describe, expect, it } from "vitest";
import type { StageOutcome } from "../../src/core/analysis-result.js";
import { fullAnalysis } from "../support/full-analysis.js";
import type { StorageOfTest } from "./storage-contract.js";

export function describeAnalysisStorage({ openParts }: StorageOfTest): void {
  describe("the analysis repository", () => {
    it("gives an analysis back as it was stored", async () => {
      const { analyses, insertTask, save } = await openParts();
      const task = await insertTask();
      expect(await analyses.hasAnalysis(task.taskId)).toBe(false);
      expect(await analyses.findAnalysis(task)).toBeUndefined();
      const { result } = fullAnalysis(task);
      expect(await save(task, result)).toBe(true);
      expect(await analyses.hasAnalysis(task.taskId)).toBe(true);
      expect(await analyses.findAnalysis(task)).toEqual(JSON.parse(JSON.stringify(result)));
    });

    it("keeps the first of two analyses of one task, once, and says so", async () => {
      const { analyses, database, insertTask, save } = await openParts();
      const task = await insertTask();
      expect(await save(task, fullAnalysis(task, "First").result)).toBe(true);
      expect(await save(task, fullAnalysis(task, "Second").result)).toBe(false);
      expect(JSON.stringify(await analyses.findAnalysis(task))).toContain("First000qx");
      expect(JSON.stringify(await analyses.findAnalysis(task))).not.toContain("Second");
      expect(await database.sql.selectFrom("analysis").select("task_id").execute()).toEqual([{ task_id: task.taskId }]);
      const segments = await database.sql.selectFrom("transcript_segment").selectAll().orderBy("seq").execute();
      expect(segments.map(({ segment_id, score }) => [segment_id, score])).toEqual([
        ["s1", 0.7],
        ["s2", 0.7],
      ]);
    });

    it("stores nothing of an analysis whose unit of work failed, or whose call was deleted", async () => {
      const { analyses, calls, database, insertTask, save, work } = await openParts();
      const task = await insertTask();
      const failing = work(async (unitOfWork) => {
        await analyses.saveAnalysis(task, fullAnalysis(task).result, 1, unitOfWork);
        throw new RangeError("the call could not be updated");
      });
      await expect(failing).rejects.toThrow(RangeError);
      await work((unitOfWork) => calls.removeCall(task.callId, unitOfWork));
      await expect(save(task, fullAnalysis(task).result)).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      expect(await analyses.hasAnalysis(task.taskId)).toBe(false);
      expect(await database.sql.selectFrom("transcript_segment").selectAll().execute()).toEqual([]);
    });

    it("loads the completed stages for a retry, and not the failed and skipped ones", async () => {
      const { analyses, insertTask } = await openParts();
      const [task, other] = [await insertTask(), await insertTask()];
      const decoded: StageOutcome = { report: { stage: "decode", status: "completed", durationMs: 12 }, output: { durationMs: 1_000, words: ["a"] } };
      const error = { code: "MODEL_OVERLOADED", message: "Too many.", retryable: true } as const;
      await analyses.saveStage(task, { report: { stage: "entities", status: "failed", durationMs: 3, error }, output: null }, 20);
      await analyses.saveStage(task, decoded, 10);
      await analyses.saveStage(task, { report: { stage: "translation", status: "skipped", durationMs: 0 }, output: null }, 30);
      expect([...(await analyses.loadEarlierStages(task))]).toEqual([["decode", decoded]]);
      expect((await analyses.loadEarlierStages(other)).size).toBe(0);
      expect(await analyses.listStageReports(task.taskId)).toEqual([
        { stage: "decode", status: "completed", durationMs: 12 },
        { stage: "entities", status: "failed", durationMs: 3 },
        { stage: "translation", status: "skipped", durationMs: 0 },
      ]);
      const repaired: StageOutcome = { report: { stage: "entities", status: "completed", durationMs: 4 }, output: { value: [] } };
      await analyses.saveStage(task, repaired, 40);
      expect((await analyses.loadEarlierStages(task)).get("entities")).toEqual(repaired);
    });

    it("keeps a megabyte of sealed text, and every character a caller's words may have", async () => {
      const { analyses, insertTask } = await openParts();
      const task = await insertTask();
      const odd = "😀 👩‍👩‍👧 ñ ﷽ \u200f \ud7ff \uffff \u0000 \\ ' \" % _ ? $1";
      const outcome: StageOutcome = {
        report: { stage: "transcript", status: "completed", durationMs: 1 },
        output: { odd, long: "shida ".repeat(200_000) },
      };
      await analyses.saveStage(task, outcome, 1);
      expect((await analyses.loadEarlierStages(task)).get("transcript")).toEqual(outcome);
    });

    it("opens an analysis with its own call's sealer only", async () => {
      const { analyses, insertTask, save } = await openParts();
      const [task, other] = [await insertTask(), await insertTask()];
      await save(task, fullAnalysis(task).result);
      await expect(analyses.findAnalysis({ ...task, sealer: other.sealer })).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
    });
  });
}
