/** Reads a transcript somebody supplies: the stages that need no audio, on text that was not recognized by us. */
import type { AnalysisResult } from "../core/analysis-result.js";
import type { Clock } from "../core/clock.js";
import type { Transcript } from "../core/transcript.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";
import { assembleAnalysis } from "./assemble-analysis.js";
import { StageRunner } from "./stage-runner.js";
import { readTranscript } from "./steps/read-transcript.js";
import type { TranscribeOutput } from "./steps/transcribe-channels.js";

export interface AnalyseTranscriptRequest {
  readonly callId: string;
  readonly taskId: string;
  readonly transcript: Transcript;
  readonly translateTo: string | null;
  readonly signal: AbortSignal;
}

/** @returns an analysis without audio; its transcript is marked as supplied in `models`. */
export async function analyseTranscript(
  { inference, clock }: { readonly inference: InferenceRunner; readonly clock: Clock },
  request: AnalyseTranscriptRequest,
): Promise<AnalysisResult> {
  const supplied: TranscribeOutput = {
    transcript: request.transcript,
    transcribedStartsMs: {},
    model: { task: "speech", engine: "supplied", id: "supplied", revision: "supplied" },
  };
  const earlier = new Map([["transcript", { report: { stage: "transcript", status: "completed", durationMs: 0 }, output: supplied }]] as const);
  const runner = new StageRunner({ earlier, clock, signal: request.signal });
  for await (const _ of readTranscript(inference, runner, request)) {
    // Each outcome is kept by the runner.
  }
  return assembleAnalysis(request, runner);
}
