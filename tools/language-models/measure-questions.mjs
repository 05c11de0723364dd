/**
 * The standing questions of the case form, on the calls that nobody looked at while writing the rules for them (dialogues-c), with
 * entities by taggers that have not seen the call.
 */
import { loadCaseForm } from "../../dist/app/casework/case-form.js";
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { BuiltinQuestionAnswerer } from "../../dist/inference/backends/builtin/builtin-question-answerer.js";
import { CaseFacts } from "../../dist/inference/backends/builtin/facts/case-facts.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { ScopeReader } from "../../dist/inference/backends/builtin/text/scope-reader.js";
import { foldOf, labelledDialogues, ROOT } from "./labelled-data.mjs";
import { recognizerWithout } from "./train-entities.mjs";

const HELD_OUT = /^c-/;
const { signal } = new AbortController();
const { assets } = loadBuiltinAssets(`${ROOT}data`);
const facts = new CaseFacts(assets, new ScopeReader(assets.scopes));

/** @param damage - done to the texts first; none when undefined */
export async function measureQuestions(damage) {
  const records = labelledDialogues().filter(({ id }) => HELD_OUT.test(id));
  const task = prepareEvaluation("qa", damage === undefined ? records : damageRecords(records, damage), { caseForm: await loadCaseForm() });
  const scores = [];
  for (const record of task.records) {
    const recognizer = recognizerWithout(foldOf(record));
    const answerer = new BuiltinQuestionAnswerer(assets, { recognizer, facts }, "fold");
    const { entities } = await recognizer.run({ segments: record.segments }, { signal });
    const outputs = [];
    for (const input of task.inputsOf(record)) outputs.push(await answerer.run({ ...input, entities }, { signal }));
    scores.push(task.score(record, outputs));
  }
  return makeScoreSheet(scores, task.measuresOf);
}
