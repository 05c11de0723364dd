/** What every builtin engine shares: its description and the check of its input. */
import { AppError } from "../../../core/errors.js";
import type { ModelTask } from "../../../core/model-task.js";
import type { TranscriptSegment } from "../../../core/transcript.js";
import type { EngineDescription } from "../../model-engine.js";

/** Describes a builtin engine of one task. */
export function describeBuiltin<Task extends ModelTask>(
  modelTask: Task,
  revision: string,
  languages: readonly string[] = ["en", "sw"],
): EngineDescription<Task> {
  return { modelTask, engine: "builtin", revision, capabilities: { languages, lowQuality: false } };
}

/** @throws AppError `MODEL_INPUT_INVALID` when two segments share an id, since evidence could not tell them apart. */
export function checkSegments(segments: readonly TranscriptSegment[]): void {
  if (new Set(segments.map(({ id }) => id)).size !== segments.length) {
    throw new AppError("MODEL_INPUT_INVALID", "Two segments have the same id; give every segment its own.");
  }
}

/** Rounds a score to two decimals within 0..0.95: a rule is never certain. */
export function ruleScore(value: number): number {
  return Math.round(Math.min(0.95, Math.max(0, value)) * 100) / 100;
}
