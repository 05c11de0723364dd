/** Feedback on results: appended, never changed. */
import type { AgentFeedback, FeedbackTask } from "../../core/agent-feedback.js";
import type { AnalysisStage } from "../../core/analysis-result.js";
import type { ModelTask } from "../../core/model-task.js";
import type { CallSealer, SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import type { AgentFeedbackTable } from "../schema.js";

/** The columns that statistics need: nothing sealed is opened for them. */
export type FeedbackMark = Pick<
  AgentFeedback,
  "callId" | "taskId" | "task" | "item" | "rating" | "agrees" | "predictedLabel" | "model" | "actorId" | "createdAtMs"
> & {
  readonly isCorrected: boolean;
  /** The result that was judged is older than the period asked for. */
  readonly isOfOlderResult?: boolean;
};

export interface FeedbackPage {
  readonly fromMs: number;
  /** Where the page before ended. */
  readonly afterId?: string;
  readonly limit: number;
}

export interface AgentFeedbackRepository {
  insertFeedback(feedback: AgentFeedback): Promise<void>;
  /** Of one call, oldest first. */
  listOfCall(callId: string, task?: FeedbackTask): Promise<readonly AgentFeedback[]>;
  /** Of all calls, oldest first, words opened. */
  listPage(page: FeedbackPage): Promise<readonly AgentFeedback[]>;
  listMarks(fromMs: number): Promise<readonly FeedbackMark[]>;
  /** How many analyses have this stage's result since then. */
  countPredictions(stage: AnalysisStage, fromMs: number): Promise<number>;
}

interface SealedWords {
  readonly reason: string | null;
  readonly correctedText: string | null;
  readonly predictedText: string | null;
}

type RowWithKey = AgentFeedbackTable & { readonly wrapped_key: Parameters<SealerFactory["open"]>[1] };

/** Words are sealed under the call's key and go with the call. */
export function createAgentFeedbackRepository(options: { readonly database: AppDatabase; readonly sealers: SealerFactory }): AgentFeedbackRepository {
  const { database, sealers } = options;
  const selectWithKey = () =>
    database.sql
      .selectFrom("agent_feedback")
      .innerJoin("call", "call.call_id", "agent_feedback.call_id")
      .selectAll("agent_feedback")
      .select("call.wrapped_key");
  const open = (row: RowWithKey): AgentFeedback => toFeedback(row, sealers.open(row.call_id, row.wrapped_key));
  return {
    async insertFeedback(feedback) {
      const { wrapped_key } = await database.sql.selectFrom("call").select("wrapped_key").where("call_id", "=", feedback.callId).executeTakeFirstOrThrow();
      await database.sql
        .insertInto("agent_feedback")
        .values(toRow(feedback, sealers.open(feedback.callId, wrapped_key)))
        .execute();
    },
    async listOfCall(callId, task) {
      let query = selectWithKey().where("agent_feedback.call_id", "=", callId);
      if (task !== undefined) query = query.where("agent_feedback.task", "=", task);
      return (await query.orderBy("agent_feedback.feedback_id").execute()).map(open);
    },
    async listPage({ fromMs, afterId = "", limit }) {
      const query = selectWithKey().where("agent_feedback.created_at_ms", ">=", fromMs).where("agent_feedback.feedback_id", ">", afterId);
      return (await query.orderBy("agent_feedback.feedback_id").limit(limit).execute()).map(open);
    },
    async listMarks(fromMs) {
      const rows = await database.read((executor) =>
        executor
          .selectFrom("agent_feedback")
          .leftJoin("analysis", "analysis.task_id", "agent_feedback.task_id")
          .selectAll("agent_feedback")
          .select("analysis.completed_at_ms")
          .where("agent_feedback.created_at_ms", ">=", fromMs)
          .orderBy("agent_feedback.feedback_id")
          .execute(),
      );
      return rows.map((row) => ({ ...toMark(row), isCorrected: row.is_corrected === 1, isOfOlderResult: (row.completed_at_ms ?? fromMs) < fromMs }));
    },
    async countPredictions(stage, fromMs) {
      const row = await database.read((executor) =>
        executor
          .selectFrom("analysis_stage")
          .innerJoin("analysis", "analysis.task_id", "analysis_stage.task_id")
          .select(({ fn }) => fn.countAll<number>().as("count"))
          .where("analysis_stage.stage", "=", stage)
          .where("analysis_stage.status", "=", "completed")
          .where("analysis.completed_at_ms", ">=", fromMs)
          .executeTakeFirstOrThrow(),
      );
      return Number(row.count);
    },
  };
}

function wordsContext(feedbackId: string): string {
  return `feedback/${feedbackId}`;
}

function toRow(feedback: AgentFeedback, sealer: CallSealer): AgentFeedbackTable {
  const words: SealedWords = { reason: feedback.reason, correctedText: feedback.correction?.text ?? null, predictedText: feedback.predictedText };
  return {
    feedback_id: feedback.feedbackId,
    call_id: feedback.callId,
    task_id: feedback.taskId,
    task: feedback.task,
    item: feedback.item,
    rating: feedback.rating,
    agrees: feedback.agrees === null ? null : Number(feedback.agrees),
    is_corrected: feedback.correction === null ? 0 : 1,
    predicted_label: feedback.predictedLabel,
    corrected_label: feedback.correction?.label ?? null,
    model_task: feedback.model.task,
    engine: feedback.model.engine,
    model_id: feedback.model.id,
    revision: feedback.model.revision,
    actor_id: feedback.actorId,
    created_at_ms: feedback.createdAtMs,
    words_sealed: sealer.seal(wordsContext(feedback.feedbackId), JSON.stringify(words)),
  };
}

function toMark(row: AgentFeedbackTable): Omit<FeedbackMark, "isCorrected"> {
  return {
    callId: row.call_id,
    taskId: row.task_id,
    task: row.task as FeedbackTask,
    item: row.item,
    rating: row.rating,
    agrees: row.agrees === null ? null : row.agrees === 1,
    predictedLabel: row.predicted_label,
    model: { task: row.model_task as ModelTask, engine: row.engine, id: row.model_id, revision: row.revision },
    actorId: row.actor_id,
    createdAtMs: row.created_at_ms,
  };
}

function toFeedback(row: AgentFeedbackTable, sealer: CallSealer): AgentFeedback {
  const { reason, correctedText, predictedText } = JSON.parse(sealer.open(wordsContext(row.feedback_id), row.words_sealed)) as SealedWords;
  const correction = { ...(row.corrected_label === null ? {} : { label: row.corrected_label }), ...(correctedText === null ? {} : { text: correctedText }) };
  return { ...toMark(row), feedbackId: row.feedback_id, reason, predictedText, correction: row.is_corrected === 1 ? correction : null };
}
