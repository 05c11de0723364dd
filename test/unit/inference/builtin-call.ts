/** Short calls for the tests of the builtin engines: one segment per line, five seconds each. */
import { fileURLToPath } from "node:url";
import type { Evidence } from "../../../src/core/evidence.js";
import type { ModelTask } from "../../../src/core/model-task.js";
import type { Channel, TranscriptSegment } from "../../../src/core/transcript.js";
import { createBuiltinEngines } from "../../../src/inference/backends/builtin/create-builtin-engines.js";
import type { ModelEngine, TaskInputs, TaskOutputs } from "../../../src/inference/model-engine.js";

export const DATA_DIRECTORY = fileURLToPath(new URL("../../../data", import.meta.url));

/** `["caller", "text"]` pairs to segments `s0`, `s1`, ... */
export function callOf(...lines: readonly (readonly [Channel, string])[]): readonly TranscriptSegment[] {
  return lines.map(([channel, text], index) => ({
    id: `s${index}`,
    channel,
    startMs: index * 5000,
    endMs: index * 5000 + 4000,
    text,
    language: "en",
    score: null,
  }));
}

const engines = new Map<ModelTask, ModelEngine>(
  createBuiltinEngines({ assetsDirectory: DATA_DIRECTORY }).map((engine) => [engine.description.modelTask, engine as ModelEngine]),
);

/** Runs the builtin engine of a task. */
export async function runBuiltin<Task extends ModelTask>(
  task: Task,
  input: TaskInputs[Task],
  signal: AbortSignal = new AbortController().signal,
): Promise<TaskOutputs[Task]> {
  const engine = engines.get(task);
  if (engine === undefined) throw new Error("no builtin engine for this task");
  return (await engine.run(input, { signal })) as TaskOutputs[Task];
}

/** True when every evidence lies within its segment and quotes it exactly. */
export function isGrounded(segments: readonly TranscriptSegment[], evidence: readonly Evidence[]): boolean {
  return evidence.every(({ segmentId, startOffset, endOffset, text }) => {
    const segment = segments.find(({ id }) => id === segmentId);
    return segment !== undefined && startOffset < endOffset && segment.text.slice(startOffset, endOffset) === text;
  });
}
