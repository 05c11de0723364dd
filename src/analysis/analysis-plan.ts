/** Which stages an analysis has, what each needs, and how far along the job is after each. */
import type { AnalysisStage } from "../core/analysis-result.js";

export interface PlannedStage {
  readonly stage: AnalysisStage;
  /** Stages that must have produced something; otherwise this one is skipped. */
  readonly needs: readonly AnalysisStage[];
  /** Progress of the whole job once it is done, 0..100, rising. */
  readonly progress: number;
}

export const RECORDING_PLAN: readonly PlannedStage[] = [
  { stage: "decode", needs: [], progress: 10 },
  { stage: "voice_activity", needs: ["decode"], progress: 20 },
  { stage: "transcript", needs: ["voice_activity"], progress: 70 },
  { stage: "translation", needs: ["transcript"], progress: 75 },
  { stage: "entities", needs: ["transcript"], progress: 80 },
  { stage: "classification", needs: ["transcript"], progress: 85 },
  { stage: "risk", needs: ["transcript"], progress: 90 },
  { stage: "summary", needs: ["transcript"], progress: 94 },
  { stage: "answers", needs: ["transcript"], progress: 96 },
  { stage: "quality", needs: ["transcript"], progress: 98 },
];

/** The stages that read a transcript and need no audio, in order. */
export const TEXT_PLAN: readonly PlannedStage[] = RECORDING_PLAN.filter(({ needs }) => needs.includes("transcript"));
