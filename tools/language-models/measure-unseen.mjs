/** The models as they ship, on parts of calls that no model learned from and no rule was written after. */
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { createBuiltinEngines } from "../../dist/inference/backends/builtin/create-builtin-engines.js";
import { ROOT, unseenExcerpts } from "./labelled-data.mjs";

const { signal } = new AbortController();

/** @param task - `entities` or `classification`; @param set - `a` or `b` */
export async function measureUnseen(task, set) {
  const records = unseenExcerpts(set);
  const engine = createBuiltinEngines({ assetsDirectory: `${ROOT}data` }).find(({ description }) => description.modelTask === task);
  const evaluation = prepareEvaluation(task, records);
  const scores = [];
  for (const record of records) scores.push(evaluation.score(record, [await engine.run({ segments: record.segments }, { signal })]));
  return makeScoreSheet(scores, evaluation.measuresOf);
}
