/**
 * The use case behind a recording's job: bring the audio out of the store, analyse it stage by stage, and store the
 * analysis once. Every completed stage is stored as it comes, so that a retry redoes only what failed.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type AnalysisDependencies, analyseRecording } from "../analysis/analyse-recording.js";
import { StageElsewhereError } from "../analysis/stage-runner.js";
import { type AnalysisResult, type AnalysisStage, isPartial, type StageOutcome, type StageReport } from "../core/analysis-result.js";
import { isMoreUrgent, type Priority } from "../core/case-classification.js";
import { AppError } from "../core/errors.js";
import type { RiskKind } from "../core/risk.js";
import type { ProcessRecordingPayload } from "../protocol/job-payloads.js";
import type { CallSealer } from "../security/sealing/sealed-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import { fetchRecording } from "../storage/recording-fetch.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import type { LiveCallRepository } from "../storage/repositories/live-call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import { type EndedTask, endCall } from "./call-ending.js";
import type { CallEventLog } from "./call-event-log.js";
import { type RaisedRisks, stageEvents } from "./stage-events.js";

export interface RecordingProcessingDependencies extends AnalysisDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly analyses: AnalysisRepository;
  readonly liveCallRecords: Pick<LiveCallRepository, "findCoverage">;
  readonly eventLog: CallEventLog;
  readonly audioStore: AudioStore;
  /** Private scratch space; recordings lie here in clear while they are analysed. */
  readonly workDirectory: string;
  readonly defaultLanguages: readonly string[];
  readonly translationTarget: string;
  readonly onStage?: (outcome: StageOutcome) => void;
  readonly onAnalysed?: (result: AnalysisResult) => void;
}

export interface ProcessingContext {
  readonly taskId: string;
  /** Of former attempts, 0..100. */
  readonly progress: number;
  /** From 1. A recording that is handed on stays in its attempt. */
  readonly attempt: number;
  /** Absent: every stage does. */
  readonly runsHere?: (stage: AnalysisStage) => boolean;
  /** When true, a stage that failed for a passing reason is kept as failed instead of tried again. */
  readonly isLastAttempt: boolean;
  readonly signal: AbortSignal;
  readonly reportProgress: (progress: number, step: string) => void;
}

export interface RecordingProcessing {
  /**
   * Idempotent by task id.
   *
   * @throws AppError `retryable` when a stage failed and may succeed next time; `AUDIO_` codes for a bad recording.
   * @throws StageElsewhereError when the next stage does not run here: what was done before it is stored.
   */
  process(payload: ProcessRecordingPayload, context: ProcessingContext): Promise<void>;
  /** The recording can't be analysed and never will be, or was cancelled. */
  markEnded(task: EndedTask): Promise<void>;
}

/** The use case of analysing a recording that was taken in. */
export function createRecordingProcessing(dependencies: RecordingProcessingDependencies): RecordingProcessing {
  return {
    process: (payload, context) => processRecording(dependencies, payload, context),
    markEnded: (task) => endCall(dependencies, task),
  };
}

async function processRecording(dependencies: RecordingProcessingDependencies, payload: ProcessRecordingPayload, context: ProcessingContext): Promise<void> {
  const { database, calls, analyses, eventLog, clock } = dependencies;
  if (await analyses.hasAnalysis(context.taskId)) return;
  const recording = await calls.findRecording(payload.recordingId);
  if (recording === undefined) throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording of this task does not exist any more.");
  const task = { taskId: context.taskId, callId: payload.callId, sealer: await calls.openSealer(payload.callId), attempt: context.attempt };
  await calls.updateOutcome(payload.callId, { status: "processing" });

  const workDirectory = join(dependencies.workDirectory, context.taskId);
  try {
    const earlier = await analyses.loadEarlierStages(task);
    const reports: StageReport[] = [];
    const fetch = () => {
      context.reportProgress(5, "decode");
      return fetchRecording(dependencies.audioStore, { recording, key: task.sealer.audioKey, workDirectory, signal: context.signal });
    };
    const coverage = await dependencies.liveCallRecords.findCoverage(payload.callId);
    const raised = await raisedRisks(dependencies, task);
    const analysis = analyseRecording(dependencies, {
      ...(coverage === undefined ? {} : { coverage }),
      ...(context.runsHere === undefined ? {} : { runsHere: context.runsHere }),
      ...{ callId: payload.callId, taskId: context.taskId, fetch, workDirectory, signal: context.signal },
      language: payload.language,
      allowedLanguages: payload.language === "auto" ? dependencies.defaultLanguages : [payload.language],
      translateTo: payload.includeTranslation ? dependencies.translationTarget : null,
      speechEngine: payload.speechEngine,
      earlier,
    });
    let highest = context.progress;
    const advance = () => analysis.next().catch((error: unknown) => handOnOrRetry(error, reports, context));
    let next = await advance();
    for (; next.done !== true; next = await advance()) {
      const { outcome, progress } = next.value;
      reports.push(outcome.report);
      if (earlier.has(outcome.report.stage)) continue;
      highest = Math.max(highest, progress);
      await inUnitOfWork(database, async (unitOfWork) => {
        await analyses.saveStage(task, outcome, clock.nowMs(), unitOfWork);
        await eventLog.append(task, stageEvents(task.taskId, outcome, { progress: highest, raised }), unitOfWork);
      });
      context.reportProgress(progress, outcome.report.stage);
      dependencies.onStage?.(outcome);
    }
    const result = next.value;
    refuseIfWorthRetrying(result.stages, context);
    await storeResult(dependencies, task, result);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

interface TaskAtWork {
  readonly callId: string;
  readonly taskId: string;
  readonly sealer: CallSealer;
}

async function storeResult(
  { database, calls, analyses, eventLog, clock, onAnalysed }: RecordingProcessingDependencies,
  task: TaskAtWork,
  result: AnalysisResult,
) {
  const isFirst = await inUnitOfWork(database, async (unitOfWork) => {
    // Another delivery of this job was first: it has said so already.
    if (!(await analyses.saveAnalysis(task, result, clock.nowMs(), unitOfWork))) return false;
    await calls.updateOutcome(task.callId, outcomeOf(result), unitOfWork);
    await eventLog.append(task, [{ type: "analysis.completed", payload: { taskId: task.taskId, isPartial: isPartial(result) } }], unitOfWork);
    return true;
  });
  if (isFirst) onAnalysed?.(result);
}

/** The highest level at which each kind of risk was raised while the call ran. */
async function raisedRisks({ eventLog }: RecordingProcessingDependencies, task: TaskAtWork): Promise<RaisedRisks> {
  const levels = new Map<RiskKind, Priority>();
  for (const event of await eventLog.listOfTypes(task, ["risk.raised"])) {
    if (event.type !== "risk.raised") continue;
    const { kind, level } = event.payload.finding;
    if (isMoreUrgent(level, levels.get(kind))) levels.set(kind, level);
  }
  return levels;
}

/** What may yet succeed is tried again before others go on without it. */
function handOnOrRetry(error: unknown, reports: readonly StageReport[], context: ProcessingContext): never {
  if (error instanceof StageElsewhereError) refuseIfWorthRetrying(reports, context);
  throw error;
}

function refuseIfWorthRetrying(stages: readonly StageReport[], { isLastAttempt }: ProcessingContext): void {
  const failed = stages.find((stage) => stage.error?.retryable === true);
  if (failed?.error === undefined || isLastAttempt) return;
  throw new AppError(failed.error.code, failed.error.message, { retryable: true, details: { stage: failed.stage } });
}

function outcomeOf(result: AnalysisResult) {
  const languages = [...new Set((result.transcript?.segments ?? []).map((segment) => segment.language))];
  return { status: "completed" as const, languages, ...(result.audio === null ? {} : { durationMs: result.audio.durationMs }) };
}
