/** Which workers run which stages of a recording: those of `CUDA_STAGES` the ones with a GPU, the rest the others. */
import type { AnalysisStage } from "../core/analysis-result.js";
import type { QueueName } from "../queue/queue-backend.js";

export interface StagePlacement {
  /** The queue of the recordings whose next stage is this one. */
  queueOf(stage: AnalysisStage): QueueName;
  runsHere(stage: AnalysisStage): boolean;
}

export interface PlacedWorker {
  readonly cudaStages: readonly AnalysisStage[];
  /** That this process serves. */
  readonly queues: readonly QueueName[];
}

/** The sound of a recording is decoded where it is transcribed, for it is not carried from one worker to another. */
export function placeStages({ cudaStages, queues }: PlacedWorker): StagePlacement {
  const isOnCuda = (stage: AnalysisStage): boolean =>
    cudaStages.includes(stage) || ((stage === "decode" || stage === "voice_activity") && cudaStages.includes("transcript"));
  const queueOf = (stage: AnalysisStage): QueueName => (isOnCuda(stage) ? "recordings-cuda" : "recordings");
  return { queueOf, runsHere: (stage) => cudaStages.length === 0 || queues.includes(queueOf(stage)) };
}

/**
 * The queues of a worker that was told none.
 *
 * @param device - what it was told to run on, and what `auto` has come to be
 */
export function defaultQueues(
  cudaStages: readonly AnalysisStage[],
  device: { readonly setting: "auto" | "cpu" | "cuda"; readonly found: "cpu" | "cuda" },
): readonly QueueName[] {
  const all = ["recordings", "recordings-cuda", "models"] as const;
  if (cudaStages.length === 0) return all;
  if (device.setting === "cuda") return all.filter((queue) => queue !== "recordings");
  return device.found === "cuda" ? all : all.filter((queue) => queue !== "recordings-cuda");
}
