/** Reads a transcript somebody supplies: the stages that need no audio, on text that was not recognized by us. */
import type { AnalysisResult } from "../core/analysis-result.js";
import type { StandingQuestion } from "../core/case/case-answer.js";
import type { Clock } from "../core/clock.js";
import type { Transcript } from "../core/transcript.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";
import { assembleAnalysis } from "./assemble-analysis.js";
import { StageRunner } from "./stage-runner.js";
import { identifyLanguages, withLanguages } from "./steps/identify-languages.js";
import { readTranscript } from "./steps/read-transcript.js";
import type { TranscribeOutput } from "./steps/transcribe-channels.js";

export interface AnalyseTranscriptRequest {
  readonly callId: string;
  readonly taskId: string;
  readonly transcript: Transcript;
  readonly translateTo: string | null;
  /** Standing questions; absent: none is asked. */
  readonly caseForm?: readonly StandingQuestion[];
  readonly signal: AbortSignal;
}

/** @returns an analysis without audio; its transcript is marked as supplied in `models`. */
export async function analyseTranscript(
  { inference, clock }: { readonly inference: InferenceRunner; readonly clock: Clock },
  request: AnalyseTranscriptRequest,
): Promise<AnalysisResult> {
  const { signal } = request;
  const { segments, model: languageModel } = await identifyLanguages(inference, request.transcript.segments, { signal });
  const transcript = withLanguages(request.transcript, segments);
  const supplied: TranscribeOutput = {
    ...{ transcript, ...(languageModel === null ? {} : { languageModel }) },
    transcribedStartsMs: {},
    model: { task: "speech", engine: "supplied", id: "supplied", revision: "supplied" },
  };
  const earlier = new Map([["transcript", { report: { stage: "transcript", status: "completed", durationMs: 0 }, output: supplied }]] as const);
  const runner = new StageRunner({ earlier, clock, signal });
  for await (const _ of readTranscript(inference, runner, { ...request, transcript })) {
    // Each outcome is kept by the runner.
  }
  return assembleAnalysis(request, runner);
}
