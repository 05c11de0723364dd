/** The fake of the engine contract: does what a script says, and passes the same conformance suite as real engines. */
import type { ModelTask } from "../../core/model-task.js";
import type { EngineCapabilities, ModelEngine, TaskInputs, TaskOutputs } from "../model-engine.js";

export interface ScriptedEngineOptions<Task extends ModelTask> {
  readonly modelTask: Task;
  readonly answer: (input: TaskInputs[Task], signal: AbortSignal) => Promise<TaskOutputs[Task]> | TaskOutputs[Task];
  readonly engine?: string;
  readonly capabilities?: EngineCapabilities;
}

/** An engine named `scripted` unless told otherwise; it minds its signal before and after answering. */
export function createScriptedEngine<Task extends ModelTask>(options: ScriptedEngineOptions<Task>): ModelEngine<Task> {
  const { modelTask, answer, engine = "scripted", capabilities = { languages: ["*"], lowQuality: false } } = options;
  return {
    description: { modelTask, engine, revision: "scripted-1", capabilities },
    async run(input, { signal }) {
      signal.throwIfAborted();
      const output = await answer(input, signal);
      signal.throwIfAborted();
      return output;
    },
  };
}
