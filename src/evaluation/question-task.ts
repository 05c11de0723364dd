/** Questions about a call: the standing ones of a case form (`answers`), or one of the record's own (`question`, `answer`). */
import { quotient, type RecordScore, tally } from "./counts.js";
import type { PrepareTask } from "./evaluation-task.js";
import type { LabelledRecord } from "./labelled-record.js";
import { scoreAnswer } from "./scorers/text-scores.js";

export const STANDING_QUESTIONS = {
  caller_name: "What is the caller's name?",
  child_name: "What is the child's name?",
  child_age: "How old is the child?",
  place: "Where does this happen?",
  what_happened: "What happened?",
  who_did_it: "Who did it?",
  when: "When did it happen?",
  child_safe_now: "Is the child safe now?",
  phone: "What is the phone number?",
  agreed_next_step: "What was agreed?",
} as const;
type StandingQuestion = keyof typeof STANDING_QUESTIONS;

interface Asked {
  readonly name: string;
  readonly question: string;
  readonly answer: string | null;
}

function asked({ fields: { question, answer, answers = {} } }: LabelledRecord): readonly Asked[] {
  const standing = (Object.keys(STANDING_QUESTIONS) as StandingQuestion[]).flatMap((name) => {
    const wanted = answers[name];
    return wanted === undefined ? [] : [{ name, question: STANDING_QUESTIONS[name], answer: wanted }];
  });
  return question === undefined ? standing : [...standing, { name: "own", question, answer: answer ?? null }];
}

/** Half of the words are shared, in and out: close enough to be of use. */
const USEFUL_F1 = 0.5;

export const prepareQuestions: PrepareTask<"question_answering"> = (all) => ({
  modelTask: "question_answering",
  records: all.filter((record) => record.segments.length > 0 && asked(record).length > 0),
  inputsOf: (record) => asked(record).map(({ question }) => ({ segments: record.segments, question })),
  score: (record, outputs): RecordScore => {
    const counts: Record<string, number> = {};
    const faults: string[] = [];
    for (const [index, { name, answer }] of asked(record).entries()) {
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
    ...[...Object.keys(STANDING_QUESTIONS), "own"].map((name) => ({
      name: `word F1, ${name}`,
      value: quotient(sum(`${name} f1`), sum(`${name} cases`)),
      cases: sum(`${name} cases`),
    })),
  ],
});
