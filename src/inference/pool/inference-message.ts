/** What travels between the pool and a model process, by structured clone. */
import type { ErrorCode } from "../../core/errors.js";
import type { ModelTask } from "../../core/model-task.js";
import type { EngineDescription, TaskInputs, TaskOutputs } from "../model-engine.js";

/** `engine` is a name, or `auto` for the first that is installed. */
export interface InferenceRequest<Task extends ModelTask = ModelTask> {
  readonly modelTask: Task;
  readonly engine: string;
  /** Of a call that runs. */
  readonly isLive: boolean;
  readonly input: TaskInputs[Task];
}

/** A result with what made it. */
export interface InferenceAnswer<Task extends ModelTask = ModelTask> {
  readonly output: TaskOutputs[Task];
  readonly engine: string;
  readonly revision: string;
}

export interface NumberedRequest {
  readonly id: number;
  readonly request: InferenceRequest;
}

/** Models to load before they are needed: of each task the preferred one. */
export interface Preload {
  readonly modelTasks: readonly ModelTask[];
  /** As for a request. */
  readonly speechEngine: string;
}

/** Requests that come together are of one task, for one engine. */
export type MessageToProcess =
  | { readonly kind: "run"; readonly requests: readonly NumberedRequest[] }
  | { readonly kind: "preload"; readonly preload: Preload }
  | { readonly kind: "abort"; readonly id: number };

/** `unable`: the engines could not be built, and the process ends. */
export type MessageFromProcess =
  | { readonly kind: "unable"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "ready"; readonly engines: readonly EngineDescription[] }
  | { readonly kind: "answer"; readonly id: number; readonly answer: InferenceAnswer }
  | { readonly kind: "failure"; readonly id: number; readonly code: ErrorCode; readonly message: string; readonly retryable: boolean };
