/** Questions about a call: the standing ones of a case form (`answers`), or one of the record's own (`question`, `answer`). */
import { type AnswerKind, questionText, type StandingQuestion } from "../core/case/case-answer.js";
import { AppError } from "../core/errors.js";
import { quotient, type RecordScore, tally } from "./counts.js";
import type { PrepareTask } from "./evaluation-task.js";
import type { LabelledRecord } from "./labelled-record.js";
import { scoreAnswer } from "./scorers/text-scores.js";

interface Asked {
  readonly name: string;
  readonly question: string;
  readonly kind?: AnswerKind;
  readonly answer: string | null;
}

/** The form's questions are asked in the language of the record, as an analysis asks them. */
function asked({ fields: { question, answer, answers = {}, language = "en" } }: LabelledRecord, caseForm: readonly StandingQuestion[]): readonly Asked[] {
  const standing = caseForm.flatMap((one): readonly Asked[] => {
    const wanted = answers[one.id];
    const text = questionText(one, language);
    return wanted === undefined ? [] : [{ name: one.id, question: text, answer: wanted, ...(one.kind === undefined ? {} : { kind: one.kind }) }];
  });
  return question === undefined ? standing : [...standing, { name: "own", question, answer: answer ?? null }];
}

/** Half of the words are shared, in and out: close enough to be of use. */
const USEFUL_F1 = 0.5;

function askable(all: readonly LabelledRecord[], caseForm: readonly StandingQuestion[]): readonly LabelledRecord[] {
  const records = all.filter((record) => record.segments.length > 0 && asked(record, caseForm).length > 0);
  if (records.length > 0) return records;
  throw new AppError("EVALUATION_DATA_INVALID", "No record has a question of its own, or answers to questions of the case form; add `question` or `answers`.");
}

export const prepareQuestions: PrepareTask<"question_answering"> = (all, { caseForm = [] }) => ({
  modelTask: "question_answering",
  records: askable(all, caseForm),
  inputsOf: (record) => asked(record, caseForm).map(({ question, kind }) => ({ segments: record.segments, question, ...(kind === undefined ? {} : { kind }) })),
  score: (record, outputs): RecordScore => {
    const counts: Record<string, number> = {};
    const faults: string[] = [];
    for (const [index, { name, answer }] of asked(record, caseForm).entries()) {
      const given = outputs[index]?.answer ?? null;
      tally(counts, answer === null ? "unanswerable" : "answerable");
      if (answer === null) tally(counts, "left open", given === null ? 1 : 0);
      else {
        const { isExact, f1 } = given === null ? { isExact: false, f1: 0 } : scoreAnswer(answer, given);
        tally(counts, "exact", isExact ? 1 : 0);
        tally(counts, "f1", f1);
        tally(counts, `${name} cases`);
        tally(counts, `${name} f1`, f1);
        if (f1 >= USEFUL_F1) continue;
      }
      if (answer !== given) faults.push(`${name}: ${answer ?? "nothing"}, not ${given ?? "nothing"}`);
    }
    return { id: record.id, counts, faults };
  },
  measuresOf: (sum) => [
    { name: "word F1 where there is an answer", value: quotient(sum("f1"), sum("answerable")), cases: sum("answerable") },
    { name: "exact where there is an answer", value: quotient(sum("exact"), sum("answerable")), cases: sum("answerable") },
    { name: "left open where there is none", value: quotient(sum("left open"), sum("unanswerable")), cases: sum("unanswerable") },
    ...[...caseForm.map(({ id }) => id), "own"].map((name) => ({
      name: `word F1, ${name}`,
      value: quotient(sum(`${name} f1`), sum(`${name} cases`)),
      cases: sum(`${name} cases`),
    })),
  ],
});
