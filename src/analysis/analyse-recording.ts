/**
 * The recording pipeline: decode, find speech, transcribe, read. Yields every stage's outcome as soon as it exists, so
 * that the caller can store it and tell others; a retry hands in what was stored and only the rest is done.
 */
import { rm } from "node:fs/promises";
import type { Container } from "../audio/container.js";
import type { DecodedRecording, RecordingDecoder } from "../audio/decoder.js";
import type { AnalysisResult, AnalysisStage, StageOutcome } from "../core/analysis-result.js";
import type { StandingQuestion } from "../core/case/case-answer.js";
import type { Clock } from "../core/clock.js";
import type { ChannelCoverage } from "../core/live-call.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";
import { type PlannedStage, RECORDING_PLAN } from "./analysis-plan.js";
import { assembleAnalysis, type DecodeOutput } from "./assemble-analysis.js";
import { StageRunner } from "./stage-runner.js";
import { type DetectSpeechOutput, detectSpeech } from "./steps/detect-speech.js";
import { readTranscript } from "./steps/read-transcript.js";
import { type TranscribeOutput, transcribeChannels } from "./steps/transcribe-channels.js";

export interface AnalysisDependencies {
  readonly decoder: RecordingDecoder;
  readonly inference: InferenceRunner;
  readonly clock: Clock;
  /** Standing questions; absent: none is asked. */
  readonly caseForm?: readonly StandingQuestion[];
}

export interface AnalyseRecordingRequest {
  readonly callId: string;
  readonly taskId: string;
  /** Brings the recording in clear into `workDirectory`, where the caller removes everything afterwards; called when its sound is needed. */
  readonly fetch: () => Promise<{ readonly path: string; readonly container: Container }>;
  readonly workDirectory: string;
  readonly language: string;
  readonly allowedLanguages: readonly string[];
  readonly translateTo: string | null;
  readonly speechEngine: string;
  /** Of a call that came in live: where each channel was received, in the order of the recording's channels. */
  readonly coverage?: readonly ChannelCoverage[];
  /** Stages that are done: by a former attempt, or by whoever handed the recording on. */
  readonly earlier: ReadonlyMap<AnalysisStage, StageOutcome>;
  /** Absent: every stage does. The stages that need the sound run together. */
  readonly runsHere?: (stage: AnalysisStage) => boolean;
  readonly signal: AbortSignal;
}

/** One step of the way. */
export interface AnalysisProgress {
  readonly outcome: StageOutcome;
  /** 0..100, rising. */
  readonly progress: number;
}

/**
 * @returns the whole analysis, with the stages that failed marked so.
 * @throws AppError with an `AUDIO_` code when the recording itself is unreadable, `StageElsewhereError`, or the signal's reason.
 */
export async function* analyseRecording(
  dependencies: AnalysisDependencies,
  request: AnalyseRecordingRequest,
): AsyncGenerator<AnalysisProgress, AnalysisResult> {
  const { signal, runsHere } = request;
  const earlier = stillValid(request.earlier);
  const runner = new StageRunner({ earlier, clock: dependencies.clock, signal, ...(runsHere === undefined ? {} : { runsHere }) });
  const { inference } = dependencies;

  if (!hasAudioStages(runner)) {
    runner.refuseElsewhere("transcript");
    const fetched = await request.fetch();
    const startedAtMs = dependencies.clock.monotonicMs();
    const recording = await dependencies.decoder.decode({
      ...request,
      ...fetched,
      ...(request.coverage === undefined ? {} : { channels: request.coverage.map(({ channel }) => channel) }),
    });
    const decodeMs = dependencies.clock.monotonicMs() - startedAtMs;
    yield step("decode", await runner.run<DecodeOutput>(plan("decode"), async () => ({ output: withoutPaths(recording) })), decodeMs);
    yield step("voice_activity", await runner.run(plan("voice_activity"), () => detectSpeech(inference, recording, request.signal)));
    const speech = runner.output<DetectSpeechOutput>("voice_activity")?.channels ?? [];
    yield step(
      "transcript",
      await runner.run(plan("transcript"), () => transcribeChannels(inference, { ...request, recording, speech, engine: request.speechEngine })),
    );
    await Promise.all(recording.channels.map(({ path }) => rm(path, { force: true })));
  }
  const transcript = runner.output<TranscribeOutput>("transcript")?.transcript ?? { language: "und", segments: [], lowQuality: false };
  const reading = readTranscript(inference, runner, {
    ...{ transcript, translateTo: request.translateTo, signal: request.signal },
    ...(dependencies.caseForm === undefined ? {} : { caseForm: dependencies.caseForm }),
  });
  for await (const { planned, outcome } of reading) yield { outcome, progress: planned.progress };
  return assembleAnalysis(request, runner);
}

/** What was read in half a transcript does not belong to the whole one that a retry makes. */
function stillValid(earlier: ReadonlyMap<AnalysisStage, StageOutcome>): ReadonlyMap<AnalysisStage, StageOutcome> {
  if (earlier.has("transcript")) return earlier;
  return new Map([...earlier].filter(([stage]) => !plan(stage).needs.includes("transcript")));
}

/** All three audio stages are done: nothing needs the sound any more. */
function hasAudioStages(runner: StageRunner): boolean {
  return (["decode", "voice_activity", "transcript"] as const).every((stage) => runner.earlier(stage) !== undefined);
}

function plan(stage: AnalysisStage): PlannedStage {
  const planned = RECORDING_PLAN.find((candidate) => candidate.stage === stage);
  if (planned === undefined) throw new RangeError("stage is not in the plan");
  return planned;
}

function step(stage: AnalysisStage, outcome: StageOutcome, durationMs?: number): AnalysisProgress {
  const timed = durationMs === undefined ? outcome : { ...outcome, report: { ...outcome.report, durationMs: Math.round(durationMs) } };
  return { outcome: timed, progress: plan(stage).progress };
}

function withoutPaths(recording: DecodedRecording): DecodeOutput {
  return { ...recording, channels: recording.channels.map(({ channel, sampleCount, gainDb }) => ({ channel, sampleCount, gainDb })) };
}
