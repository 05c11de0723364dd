/** Stage outputs, finished analyses and their segments, all sealed under the call's key. */
import type { AnalysisResult, AnalysisStage, StageOutcome, StageReport } from "../../core/analysis-result.js";
import type { TranscriptSegment } from "../../core/transcript.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { insertIfAbsent, lockCall, upsert } from "../portable-sql.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

interface TaskOfCall {
  readonly taskId: string;
  readonly callId: string;
  readonly sealer: CallSealer;
}

/** A try at a task, numbered from 1; absent where there are no tries. */
interface AttemptAtTask extends TaskOfCall {
  readonly attempt?: number;
}

export interface AnalysisRepository {
  /** Stores or replaces one stage's outcome. */
  saveStage(task: AttemptAtTask, outcome: StageOutcome, finishedAtMs: number, unitOfWork?: UnitOfWork): Promise<void>;
  /** Completed stages, and of the same attempt the others: in the next, failed ones, and those skipped for want of them, are done again. */
  loadEarlierStages(task: AttemptAtTask): Promise<ReadonlyMap<AnalysisStage, StageOutcome>>;
  /** Stores the finished analysis and its segments, and has the call's text indexed. @returns false when the task had one already: that one stays */
  saveAnalysis(task: TaskOfCall, result: AnalysisResult, completedAtMs: number, unitOfWork: UnitOfWork): Promise<boolean>;
  findAnalysis(task: TaskOfCall): Promise<AnalysisResult | undefined>;
  hasAnalysis(taskId: string): Promise<boolean>;
  listStageReports(taskId: string): Promise<readonly Omit<StageReport, "error">[]>;
}

/** Writes outside a given unit of work are their own transaction. */
export function createAnalysisRepository(options: { readonly database: AppDatabase }): AnalysisRepository {
  const { database } = options;
  return {
    async saveStage({ taskId, callId, sealer, attempt }, { report, output }, finishedAtMs, unitOfWork) {
      const row = {
        ...{ task_id: taskId, stage: report.stage, call_id: callId, status: report.status, error_code: report.error?.code ?? null },
        ...{ duration_ms: report.durationMs, finished_at_ms: finishedAtMs },
        output_sealed: sealer.seal(`stage/${taskId}/${report.stage}`, JSON.stringify({ report, output, attempt })),
      };
      await lockCall(database, callId, unitOfWork);
      await upsert(database, executorOf(database, unitOfWork), { table: "analysis_stage", key: ["task_id", "stage"], row });
    },
    async loadEarlierStages({ taskId, sealer, attempt }) {
      const rows = await database.sql.selectFrom("analysis_stage").select(["stage", "output_sealed"]).where("task_id", "=", taskId).execute();
      const outcomes = new Map<AnalysisStage, StageOutcome>();
      for (const { stage, output_sealed } of rows) {
        if (output_sealed === null) continue;
        const { attempt: madeIn, ...outcome } = JSON.parse(sealer.open(`stage/${taskId}/${stage}`, output_sealed)) as StageOutcome & { attempt?: number };
        if (outcome.report.status === "completed" || (madeIn !== undefined && madeIn === attempt)) outcomes.set(stage as AnalysisStage, outcome);
      }
      return outcomes;
    },
    saveAnalysis: (task, result, completedAtMs, unitOfWork) => saveAnalysis(database, task, { result, completedAtMs, unitOfWork }),
    async findAnalysis({ taskId, sealer }) {
      const row = await database.sql.selectFrom("analysis").select("result_sealed").where("task_id", "=", taskId).executeTakeFirst();
      return row === undefined ? undefined : (JSON.parse(sealer.open(`analysis/${taskId}`, row.result_sealed)) as AnalysisResult);
    },
    async hasAnalysis(taskId) {
      return (await database.sql.selectFrom("analysis").select("task_id").where("task_id", "=", taskId).executeTakeFirst()) !== undefined;
    },
    async listStageReports(taskId) {
      const rows = await database.sql
        .selectFrom("analysis_stage")
        .select(["stage", "status", "duration_ms"])
        .where("task_id", "=", taskId)
        .orderBy("finished_at_ms")
        .orderBy("stage")
        .execute();
      return rows.map((row) => ({ stage: row.stage as AnalysisStage, status: row.status as StageReport["status"], durationMs: row.duration_ms }));
    },
  };
}

async function saveAnalysis(
  database: AppDatabase,
  task: TaskOfCall,
  { result, completedAtMs, unitOfWork }: { result: AnalysisResult; completedAtMs: number; unitOfWork: UnitOfWork },
): Promise<boolean> {
  const executor = executorOf(database, unitOfWork);
  const { taskId, callId, sealer } = task;
  const row = {
    ...{ task_id: taskId, call_id: callId, status: result.status, completed_at_ms: completedAtMs },
    result_sealed: sealer.seal(`analysis/${taskId}`, JSON.stringify(result)),
  };
  await lockCall(database, callId, unitOfWork);
  // Absent: else the job was delivered twice and the other delivery stored it; one analysis stays.
  if (!(await insertIfAbsent(database, executor, { table: "analysis", key: ["task_id"], row }))) return false;
  for (const [seq, segment] of (result.transcript?.segments ?? []).entries()) {
    await executor
      .insertInto("transcript_segment")
      .values(toSegmentRow(task, seq, segment))
      .execute();
  }
  await insertIfAbsent(database, executor, { table: "call_text_due", key: ["call_id"], row: { call_id: callId } });
  // The whole is stored now; the parts kept for retries are not needed any more.
  await executor.updateTable("analysis_stage").set({ output_sealed: null }).where("task_id", "=", taskId).execute();
  return true;
}

function toSegmentRow({ taskId, callId, sealer }: TaskOfCall, seq: number, segment: TranscriptSegment) {
  return {
    segment_id: segment.id,
    call_id: callId,
    task_id: taskId,
    seq,
    channel: segment.channel,
    start_ms: segment.startMs,
    end_ms: segment.endMs,
    language: segment.language,
    score: segment.score,
    text_sealed: sealer.seal(`segment.text/${taskId}/${segment.id}`, segment.text),
    words_sealed: segment.words === undefined ? null : sealer.seal(`segment.words/${taskId}/${segment.id}`, JSON.stringify(segment.words)),
  };
}
