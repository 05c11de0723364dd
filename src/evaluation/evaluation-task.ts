/** What makes a task measurable: what a record asks of an engine, and what its answers came to. */
import type { StandingQuestion } from "../core/case/case-answer.js";
import type { ModelTask } from "../core/model-task.js";
import type { TaskInputs, TaskOutputs } from "../inference/model-engine.js";
import type { Measure, RecordScore, Sum } from "./counts.js";
import type { LabelledRecord } from "./labelled-record.js";

/** One task over given records, ready to run. */
export interface PreparedTask<Task extends ModelTask = ModelTask> {
  readonly modelTask: Task;
  /** Those that have what the task is measured by. */
  readonly records: readonly LabelledRecord[];
  /** At least one; most tasks ask one thing of a record. */
  inputsOf(record: LabelledRecord): readonly TaskInputs[Task][];
  /** @param outputs - as many as inputs, in order */
  score(record: LabelledRecord, outputs: readonly TaskOutputs[Task][]): RecordScore;
  measuresOf(sum: Sum): readonly Measure[];
}

/** What depends on the helpline. */
export interface HelplineForms {
  /** Standing questions; absent: none. */
  readonly caseForm?: readonly StandingQuestion[];
}

/** Settles what is measured. @throws AppError `EVALUATION_DATA_INVALID` when no record has it */
export type PrepareTask<Task extends ModelTask = ModelTask> = (records: readonly LabelledRecord[], helpline: HelplineForms) => PreparedTask<Task>;
