/** The kinds of model work the product knows, and how a result names the engine that made it. */

export const MODEL_TASKS = [
  "voice_activity",
  "speech",
  "language",
  "translation",
  "entities",
  "classification",
  "risk",
  "summary",
  "quality",
  "question_answering",
] as const;
export type ModelTask = (typeof MODEL_TASKS)[number];

/** Those that read text; a server with a language model can do them. */
export const CHAT_TASKS = [
  "translation",
  "entities",
  "classification",
  "risk",
  "summary",
  "quality",
  "question_answering",
] as const satisfies readonly ModelTask[];
export type ChatTask = (typeof CHAT_TASKS)[number];

/** Which engine made a result. `revision` changes whenever its rules, data or weights change. */
export interface ModelRevision {
  readonly task: ModelTask;
  readonly engine: string;
  readonly id: string;
  readonly revision: string;
}
