/**
 * Summaries against those of the labellers, on the calls that nobody looked at while writing the rules for them (dialogues-c), with
 * entities by taggers that have not seen the call.
 */
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { CaseFacts } from "../../dist/inference/backends/builtin/facts/case-facts.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { BuiltinSummarizer } from "../../dist/inference/backends/builtin/summary/builtin-summarizer.js";
import { ScopeReader } from "../../dist/inference/backends/builtin/text/scope-reader.js";
import { foldOf, labelledDialogues, ROOT } from "./labelled-data.mjs";
import { recognizerWithout } from "./train-entities.mjs";

const HELD_OUT = /^c-/;
const { assets } = loadBuiltinAssets(`${ROOT}data`);
const facts = new CaseFacts(assets, new ScopeReader(assets.scopes));

/** @param damage - done to the texts first; none when undefined */
export async function measureSummaries(damage) {
  const records = labelledDialogues().filter(({ id }) => HELD_OUT.test(id));
  const task = prepareEvaluation("summary", damage === undefined ? records : damageRecords(records, damage));
  const scores = [];
  for (const record of task.records) {
    const summarizer = new BuiltinSummarizer(assets, { recognizer: recognizerWithout(foldOf(record)), facts }, "fold");
    const outputs = [];
    for (const input of task.inputsOf(record)) outputs.push(await summarizer.run(input, { signal: new AbortController().signal }));
    scores.push(task.score(record, outputs));
  }
  return makeScoreSheet(scores, task.measuresOf);
}
