/**
 * The contract every engine of every model task implements, and the maps from a task to its input and output.
 *
 * An engine is created in an inference process (see `pool/`), never on the main thread, and knows nothing of calls.
 * Terms: `modelTask` is the kind of work, an engine is one way of doing it, `revision` names its rules or weights.
 */
import type { ModelTask } from "../core/model-task.js";
import type { ClassificationInput, ClassificationOutput } from "./case-classifier.js";
import type { EntityInput, EntityOutput } from "./entity-recognizer.js";
import type { LanguageInput, LanguageOutput } from "./language-identifier.js";
import type { QualityInput, QualityOutput } from "./quality-assessor.js";
import type { QuestionInput, QuestionOutput } from "./question-answerer.js";
import type { RiskInput, RiskOutput } from "./risk-detector.js";
import type { SpeechInput, SpeechOutput } from "./speech-recognizer.js";
import type { SummaryInput, SummaryOutput } from "./summarizer.js";
import type { TranslationInput, TranslationOutput } from "./translator.js";
import type { VoiceActivityInput, VoiceActivityOutput } from "./voice-activity-detector.js";

export interface TaskInputs {
  voice_activity: VoiceActivityInput;
  speech: SpeechInput;
  language: LanguageInput;
  translation: TranslationInput;
  entities: EntityInput;
  classification: ClassificationInput;
  risk: RiskInput;
  summary: SummaryInput;
  quality: QualityInput;
  question_answering: QuestionInput;
}

export interface TaskOutputs {
  voice_activity: VoiceActivityOutput;
  speech: SpeechOutput;
  language: LanguageOutput;
  translation: TranslationOutput;
  entities: EntityOutput;
  classification: ClassificationOutput;
  risk: RiskOutput;
  summary: SummaryOutput;
  quality: QualityOutput;
  question_answering: QuestionOutput;
}

/** What an engine can do, as data; callers choose by it and never by trial. */
export interface EngineCapabilities {
  /** BCP 47 tags it works on; `["*"]` when it does not depend on the language. */
  readonly languages: readonly string[];
  /** True when its results are known to be poor and are marked so. */
  readonly lowQuality: boolean;
  /** True: for calls that have ended only; a call that runs is read by the next engine. */
  readonly isTooSlowForLive?: boolean;
  /** Of an installed model's weights: the smaller of two is the quicker. */
  readonly weightBytes?: number;
  /** Inputs that `runTogether` takes at once; absent: one. */
  readonly batchSize?: number;
  /** Sample rates in Hz it accepts (audio tasks only). */
  readonly sampleRatesHz?: readonly number[];
}

/** Whether a person who names an engine means this one: `whisper` is any `whisper:<model>`, the first of them. */
export function isEngineNamed(engine: string, name: string): boolean {
  return engine === name || engine.startsWith(`${name}:`);
}

const MANY_LANGUAGES = 8;

/** For a person to read: a model may know a hundred. */
export function languagesText({ languages }: EngineCapabilities): string {
  if (languages.length <= MANY_LANGUAGES) return languages.join(", ");
  const first = ["sw", "en"].filter((tag) => languages.includes(tag));
  return `${first.join(", ")}${first.length === 0 ? "" : " and "}${languages.length - first.length} ${first.length === 0 ? "languages" : "more"}`;
}

/** What an engine is, without running it. */
export interface EngineDescription<Task extends ModelTask = ModelTask> {
  readonly modelTask: Task;
  readonly engine: string;
  readonly revision: string;
  readonly capabilities: EngineCapabilities;
}

/**
 * One engine of one task.
 *
 * `run` throws `AppError` `MODEL_NOT_READY` when it cannot serve this input at all (a language it does not do, a
 * program that is not installed), `MODEL_INPUT_INVALID` for input outside its contract, and rejects with the
 * signal's reason once `signal` is aborted. The same input gives the same output.
 */
export interface ModelEngine<Task extends ModelTask = ModelTask> {
  readonly description: EngineDescription<Task>;
  run(input: TaskInputs[Task], options: { readonly signal: AbortSignal }): Promise<TaskOutputs[Task]>;
  /**
   * Several inputs as one batch, for less than one after the other; at most `capabilities.batchSize`. One outcome each, in
   * order: an input that fails, fails alone. The same as `run` gives, but for what padding to a common length changes.
   */
  runTogether?(
    inputs: readonly TaskInputs[Task][],
    options: { readonly signals: readonly AbortSignal[] },
  ): Promise<readonly PromiseSettledResult<TaskOutputs[Task]>[]>;
  /** Makes ready what the first `run` would wait for. */
  load?(): Promise<void>;
  close?(): Promise<void>;
}
