/** Feedback of people on results: taken against what the model said, kept with its history, counted, exported. */

import { type AgentFeedback, agreesWithModel, FEEDBACK_TASKS, type FeedbackCorrection, type FeedbackTask } from "../core/agent-feedback.js";
import type { AnalysisResult } from "../core/analysis-result.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { newId } from "../core/ids.js";
import { type AuditAction, type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Actor, Authorized } from "../security/authorization.js";
import { type TextCover, WITHHOLDING } from "../security/masking/cover-text.js";
import { isGranted } from "../security/permissions.js";
import type { AgentFeedbackRepository } from "../storage/repositories/agent-feedback-repository.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import { callNotFound } from "./call-not-found.js";
import { correctionLabels, FEEDBACK_SOURCES, findPrediction, type TaxonomyLabels } from "./feedback-items.js";
import { summarizeFeedback, type TaskStatistics } from "./feedback-statistics.js";
import type { TextMasking } from "./text-masking.js";

export type { TaxonomyLabels } from "./feedback-items.js";

export interface NewFeedback {
  readonly callId: string;
  /** The call's newest analysis when absent. */
  readonly taskId?: string;
  readonly task: FeedbackTask;
  readonly item: string | null;
  readonly rating: number | null;
  readonly reason: string | null;
  readonly correction: FeedbackCorrection | null;
}

export interface FeedbackExport {
  readonly fromMs: number;
  readonly clearText: boolean;
}

export interface AgentFeedbackUseCase {
  /**
   * @throws AppError `CALL_NOT_FOUND`, `CALL_NOT_ANALYSED`, `FEEDBACK_ITEM_UNKNOWN`, `FEEDBACK_LABEL_UNKNOWN`
   */
  give(authorized: Authorized<"feedback:create">, feedback: NewFeedback): Promise<AgentFeedback>;
  /** Everything that was said of a call, oldest first; audited. @throws AppError `CALL_NOT_FOUND` */
  list(authorized: Authorized<"feedback:read">, callId: string, task?: FeedbackTask): Promise<readonly AgentFeedback[]>;
  statistics(
    authorized: Authorized<"feedback:read">,
    request: { readonly days: number; readonly task?: FeedbackTask },
  ): Promise<ReadonlyMap<FeedbackTask, TaskStatistics>>;
  /** Oldest first; words are masked unless clear text is asked for. Audited before the first. */
  export(authorized: Authorized<"feedback:export">, request: FeedbackExport): Promise<AsyncGenerator<AgentFeedback>>;
}

export interface AgentFeedbackDependencies {
  readonly calls: CallRepository;
  readonly analyses: AnalysisRepository;
  readonly feedbackRecords: AgentFeedbackRepository;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly taxonomyLabels: TaxonomyLabels;
}

const DAY_MS = 86_400_000;
const EXPORT_PAGE = 200;

/** The use cases of feedback. */
export function createAgentFeedback(dependencies: AgentFeedbackDependencies): AgentFeedbackUseCase {
  const { feedbackRecords, clock, calls } = dependencies;
  const record = (actor: Actor, action: AuditAction, target: string): Promise<void> => recordAllowed(dependencies, actor, action, target);
  return {
    async give({ actor }, feedback) {
      const said = await judgeAgainstModel(dependencies, actor, feedback);
      await record(actor, "feedback.given", feedback.callId);
      await feedbackRecords.insertFeedback(said);
      return said;
    },
    async list({ actor }, callId, task) {
      if (!(await calls.hasCall(callId))) throw callNotFound();
      await record(actor, "feedback.read", callId);
      return feedbackRecords.listOfCall(callId, task);
    },
    async statistics(_authorized, { days, task }) {
      const fromMs = clock.nowMs() - days * DAY_MS;
      const marks = await feedbackRecords.listMarks(fromMs);
      const statistics = new Map<FeedbackTask, TaskStatistics>();
      for (const one of FEEDBACK_TASKS) {
        if (task !== undefined && task !== one) continue;
        statistics.set(one, summarizeFeedback(marks, one, await feedbackRecords.countPredictions(FEEDBACK_SOURCES[one].stage, fromMs)));
      }
      return statistics;
    },
    async export({ actor }, { fromMs, clearText }) {
      if (clearText && !isGranted(actor.role, "transcript:read")) {
        throw new AppError("AUTH_PERMISSION_DENIED", `The role ${actor.role} may not export clear text; leave text=clear out.`);
      }
      await record(actor, clearText ? "feedback.exported_clear" : "feedback.exported", "agent_feedback");
      const masked = async (feedback: AgentFeedback): Promise<AgentFeedback> => withCoveredWords(feedback, await coverOf(dependencies, feedback.callId));
      return exportPages(feedbackRecords, fromMs, clearText ? async (feedback) => feedback : masked);
    },
  };
}

async function* exportPages(
  records: AgentFeedbackRepository,
  fromMs: number,
  show: (feedback: AgentFeedback) => Promise<AgentFeedback>,
): AsyncGenerator<AgentFeedback> {
  let afterId: string | undefined;
  for (;;) {
    const page = await records.listPage({ fromMs, limit: EXPORT_PAGE, ...(afterId === undefined ? {} : { afterId }) });
    for (const feedback of page) yield await show(feedback);
    if (page.length < EXPORT_PAGE) return;
    afterId = page.at(-1)?.feedbackId;
  }
}

async function coverOf({ calls, masking }: AgentFeedbackDependencies, callId: string): Promise<TextCover> {
  const sealer = await calls.openSealer(callId).catch(() => undefined);
  return sealer === undefined ? WITHHOLDING : masking.coverOf({ callId, sealer });
}

function withCoveredWords(feedback: AgentFeedback, cover: TextCover): AgentFeedback {
  const hidden = (words: string | null | undefined): string | null => (words === null || words === undefined ? null : cover.text(words));
  const { correction } = feedback;
  return {
    ...feedback,
    reason: hidden(feedback.reason),
    predictedText: hidden(feedback.predictedText),
    correction: correction?.text === undefined ? correction : { ...correction, text: cover.text(correction.text) },
  };
}

/** Puts beside what was said what the model had said, and which model it was. */
async function judgeAgainstModel(dependencies: AgentFeedbackDependencies, actor: Actor, feedback: NewFeedback): Promise<AgentFeedback> {
  const { callId, task, item, rating, reason, correction } = feedback;
  const { taskId, analysis } = await findAnalysis(dependencies, feedback);
  const prediction = findPrediction(analysis, task, item);
  const model = analysis.models.find((made) => made.task === FEEDBACK_SOURCES[task].modelTask);
  if (prediction === undefined || model === undefined) {
    throw new AppError("FEEDBACK_ITEM_UNKNOWN", "The analysis has no such item; docs/feedback.md says how items are named.");
  }
  refuseWrongCorrection(feedback, dependencies.taxonomyLabels);
  const nowMs = dependencies.clock.nowMs();
  const predicted = { predictedLabel: prediction.label, predictedText: prediction.text };
  const said = { callId, taskId, task, item, rating, reason, correction, ...predicted };
  return { ...said, feedbackId: newId(nowMs), agrees: agreesWithModel(said), model, actorId: actor.actorId, createdAtMs: nowMs };
}

async function findAnalysis(
  { calls, analyses }: AgentFeedbackDependencies,
  { callId, taskId }: NewFeedback,
): Promise<{ taskId: string; analysis: AnalysisResult }> {
  const sealer = await calls.openSealer(callId);
  for (const candidate of await calls.listTaskIds(callId)) {
    if (taskId !== undefined && taskId !== candidate) continue;
    const analysis = await analyses.findAnalysis({ callId, taskId: candidate, sealer });
    if (analysis !== undefined) return { taskId: candidate, analysis };
  }
  throw new AppError("CALL_NOT_ANALYSED", "The call has no finished analysis to give feedback on, or not yet.");
}

function refuseWrongCorrection({ task, item, correction }: NewFeedback, taxonomy: TaxonomyLabels): void {
  if (correction === null) return;
  const labels = correctionLabels(task, item, taxonomy);
  if (correction.label !== undefined && labels?.has(correction.label) !== true) {
    const message = labels === undefined ? "This item is corrected in words, not by a label." : "The label is not one of those this item can have.";
    throw new AppError("FEEDBACK_LABEL_UNKNOWN", message, { details: labels === undefined ? {} : { labels: [...labels] } });
  }
  const takesWords = task === "transcription" || task === "translation" || task === "summarization" || task === "ner";
  if (correction.text !== undefined && !takesWords) throw new AppError("FEEDBACK_LABEL_UNKNOWN", "This item is corrected by a label, not in words.");
}
