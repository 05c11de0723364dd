/** The stages that read a transcript: translation, entities, classification, risk, summary, answers, quality. */
import type { Translation } from "../../core/analysis-result.js";
import type { CallSummary } from "../../core/call-summary.js";
import { type CaseAnswer, questionText, type StandingQuestion } from "../../core/case/case-answer.js";
import type { CaseClassification } from "../../core/case-classification.js";
import type { Entity } from "../../core/entity.js";
import type { ModelRevision, ModelTask } from "../../core/model-task.js";
import type { QualityScore } from "../../core/quality-score.js";
import type { RiskFinding } from "../../core/risk.js";
import type { Transcript } from "../../core/transcript.js";
import type { TaskInputs, TaskOutputs } from "../../inference/model-engine.js";
import type { InferenceRunner } from "../../inference/pool/inference-pool.js";
import { type PlannedStage, TEXT_PLAN } from "../analysis-plan.js";
import type { StageRunner, StageWork } from "../stage-runner.js";
import { asTranslated } from "./identify-languages.js";

/** A stage's value with what made it. */
export interface ReadOutput<Value> {
  readonly value: Value;
  readonly model: ModelRevision;
}

export interface ReadRequest {
  readonly transcript: Transcript;
  /** Null: no translation asked for. */
  readonly translateTo: string | null;
  /** Asked of every call; absent: none is. */
  readonly caseForm?: readonly StandingQuestion[];
  readonly signal: AbortSignal;
}

const DEADLINE_MS = 120_000;

/** Runs the text stages in order; yields each planned stage's outcome as soon as it exists. */
export async function* readTranscript(inference: InferenceRunner, runner: StageRunner, request: ReadRequest) {
  for (const planned of TEXT_PLAN) {
    const earlier = runner.earlier(planned.stage);
    if (earlier !== undefined) continue;
    yield { planned, outcome: await runner.run(planned, () => readStage(inference, runner, planned, request)) };
  }
}

function readStage(inference: InferenceRunner, runner: StageRunner, { stage }: PlannedStage, request: ReadRequest): Promise<StageWork<ReadOutput<unknown>>> {
  const { segments } = request.transcript;
  const ask = <Task extends ModelTask, Value>(task: Task, input: TaskInputs[Task], pick: (output: TaskOutputs[Task]) => Value) =>
    askEngine(inference, { task, input, pick, signal: request.signal });
  switch (stage) {
    case "translation":
      return translate(inference, request);
    case "entities":
      return ask("entities", { segments }, (output): readonly Entity[] => output.entities);
    case "classification":
      return ask("classification", { segments, ...translated(runner) }, (output): CaseClassification => output.classification);
    case "risk":
      return ask("risk", { segments }, (output): readonly RiskFinding[] => output.risks);
    case "summary":
      return ask("summary", summaryInput(runner, request), (output): CallSummary => output.summary);
    case "answers":
      return answerCaseForm(inference, runner, request);
    case "quality":
      return ask("quality", { segments, ...translated(runner) }, (output): QualityScore => output.quality);
    default:
      throw new RangeError("not a text stage");
  }
}

interface EngineQuestion<Task extends ModelTask, Value> {
  readonly task: Task;
  readonly input: TaskInputs[Task];
  readonly pick: (output: TaskOutputs[Task]) => Value;
  readonly signal: AbortSignal;
}

async function askEngine<Task extends ModelTask, Value>(
  inference: InferenceRunner,
  question: EngineQuestion<Task, Value>,
): Promise<StageWork<ReadOutput<Value>>> {
  const { task, input, pick, signal } = question;
  const { output, engine, revision } = await inference.run(task, input, { signal, deadlineMs: DEADLINE_MS });
  return { output: { value: pick(output), model: { task, engine, id: engine, revision } } };
}

/** A call in the language asked for needs no translation: the stage is skipped, not failed. */
async function translate(inference: InferenceRunner, { transcript, translateTo, signal }: ReadRequest): Promise<StageWork<ReadOutput<Translation>>> {
  const isNeeded = translateTo !== null && transcript.segments.some((segment) => segment.language !== translateTo);
  if (!isNeeded) return { output: null };
  const input = { segments: asTranslated(transcript.segments, translateTo), targetLanguage: translateTo };
  return askEngine(inference, { task: "translation", input, pick: (output): Translation => output, signal });
}

/** One question after the other: together they would crowd out the calls of others. */
async function answerCaseForm(inference: InferenceRunner, runner: StageRunner, request: ReadRequest): Promise<StageWork<ReadOutput<readonly CaseAnswer[]>>> {
  const { transcript, caseForm = [], signal } = request;
  const entities = runner.output<ReadOutput<readonly Entity[]>>("entities")?.value;
  const answers: CaseAnswer[] = [];
  let model: ModelRevision | undefined;
  for (const standing of caseForm) {
    const question = questionText(standing, transcript.language);
    const { kind } = standing;
    const input = { segments: transcript.segments, question, ...(kind === undefined ? {} : { kind }), ...(entities === undefined ? {} : { entities }) };
    const { output, engine, revision } = await inference.run("question_answering", input, { signal, deadlineMs: DEADLINE_MS });
    answers.push({ id: standing.id, question, ...output });
    model = { task: "question_answering", engine, id: engine, revision };
  }
  return { output: model === undefined ? null : { value: answers, model } };
}

function summaryInput(runner: StageRunner, { transcript: { segments } }: ReadRequest): TaskInputs["summary"] {
  const entities = runner.output<ReadOutput<readonly Entity[]>>("entities")?.value;
  const classification = runner.output<ReadOutput<CaseClassification>>("classification")?.value;
  return { segments, ...translated(runner), ...(entities === undefined ? {} : { entities }), ...(classification === undefined ? {} : { classification }) };
}

/** For engines that read the language it was translated to, and not the one that was spoken. */
function translated(runner: StageRunner): { readonly translation?: Translation } {
  const translation = runner.output<ReadOutput<Translation> | null>("translation")?.value;
  return translation === undefined ? {} : { translation };
}
