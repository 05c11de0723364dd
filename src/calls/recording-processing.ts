/**
 * The use case behind a recording's job: bring the audio out of the store, analyse it stage by stage, and store the
 * analysis once. Every completed stage is stored as it comes, so that a retry redoes only what failed.
 */
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type AnalysisDependencies, analyseRecording } from "../analysis/analyse-recording.js";
import { CONTAINERS, type Container } from "../audio/container.js";
import type { AnalysisResult, StageOutcome } from "../core/analysis-result.js";
import { AppError } from "../core/errors.js";
import type { ProcessRecordingPayload } from "../protocol/job-payloads.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import type { CallRepository, RecordingRecord } from "../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";

export interface RecordingProcessingDependencies extends AnalysisDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly analyses: AnalysisRepository;
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
   */
  process(payload: ProcessRecordingPayload, context: ProcessingContext): Promise<void>;
  /** The recording can't be analysed and never will be, or was cancelled. */
  markEnded(callId: string, status: "failed" | "cancelled"): Promise<void>;
}

/** The use case of analysing a recording that was taken in. */
export function createRecordingProcessing(dependencies: RecordingProcessingDependencies): RecordingProcessing {
  return {
    process: (payload, context) => processRecording(dependencies, payload, context),
    markEnded: (callId, status) => dependencies.calls.updateOutcome(callId, { status }),
  };
}

async function processRecording(dependencies: RecordingProcessingDependencies, payload: ProcessRecordingPayload, context: ProcessingContext): Promise<void> {
  const { calls, analyses, clock } = dependencies;
  if (await analyses.hasAnalysis(context.taskId)) return;
  const recording = await calls.findRecording(payload.recordingId);
  if (recording === undefined) throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording of this task does not exist any more.");
  const task = { taskId: context.taskId, callId: payload.callId, sealer: await calls.openSealer(payload.callId) };
  await calls.updateOutcome(payload.callId, { status: "processing" });
  context.reportProgress(5, "decode");

  const workDirectory = join(dependencies.workDirectory, context.taskId);
  try {
    const path = await fetchRecording(dependencies, { recording, key: task.sealer.audioKey, workDirectory, signal: context.signal });
    const analysis = analyseRecording(dependencies, {
      ...{ callId: payload.callId, taskId: context.taskId, path, workDirectory, signal: context.signal },
      container: toContainer(recording.container),
      language: payload.language,
      allowedLanguages: payload.language === "auto" ? dependencies.defaultLanguages : [payload.language],
      translateTo: payload.includeTranslation ? dependencies.translationTarget : null,
      speechEngine: payload.speechEngine,
      earlier: await analyses.loadCompletedStages(task),
    });
    let next = await analysis.next();
    while (next.done !== true) {
      const { outcome, progress } = next.value;
      await analyses.saveStage(task, outcome, clock.nowMs());
      context.reportProgress(progress, outcome.report.stage);
      dependencies.onStage?.(outcome);
      next = await analysis.next();
    }
    const result = next.value;
    refuseIfWorthRetrying(result, context);
    await inUnitOfWork(dependencies.database, async (unitOfWork) => {
      await analyses.saveAnalysis(task, result, clock.nowMs(), unitOfWork);
      await calls.updateOutcome(payload.callId, outcomeOf(result), unitOfWork);
    });
    dependencies.onAnalysed?.(result);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

interface FetchRequest {
  readonly recording: RecordingRecord;
  readonly key: Buffer;
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

async function fetchRecording({ audioStore }: RecordingProcessingDependencies, { recording, key, workDirectory, signal }: FetchRequest): Promise<string> {
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  const path = join(workDirectory, "recording");
  const content = await audioStore.read(recording.audioKey, key);
  await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
  return path;
}

function toContainer(name: string): Container {
  const container = CONTAINERS.find((candidate) => candidate === name);
  if (container === undefined) throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "The recording is in a format this version can't read.");
  return container;
}

function refuseIfWorthRetrying(result: AnalysisResult, { isLastAttempt }: ProcessingContext): void {
  const failed = result.stages.find((stage) => stage.error?.retryable === true);
  if (failed?.error === undefined || isLastAttempt) return;
  throw new AppError(failed.error.code, failed.error.message, { retryable: true, details: { stage: failed.stage } });
}

function outcomeOf(result: AnalysisResult) {
  const languages = [...new Set((result.transcript?.segments ?? []).map((segment) => segment.language))];
  return { status: "completed" as const, languages, ...(result.audio === null ? {} : { durationMs: result.audio.durationMs }) };
}
