/**
 * The language of segments, on what `write-languages.mjs` did not draw words from: the calls of dialogues-c and the utterances of
 * utterances-b. The lexicon measured is the one that ships.
 */
import { readFileSync } from "node:fs";
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { parseLabelledData } from "../../dist/evaluation/labelled-record.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { createBuiltinEngines } from "../../dist/inference/backends/builtin/create-builtin-engines.js";
import { ROOT } from "./labelled-data.mjs";

const HELD_OUT = ["dialogues-c", "utterances-b"];
const engine = createBuiltinEngines({ assetsDirectory: `${ROOT}data` }).find(({ description }) => description.modelTask === "language");

/** @param damage - done to the texts first; none when undefined */
export async function measureLanguage(damage) {
  const records = HELD_OUT.flatMap((name) => parseLabelledData(readFileSync(`${ROOT}data/labelled/${name}.jsonl`, "utf8")));
  const task = prepareEvaluation("language", damage === undefined ? records : damageRecords(records, damage));
  const scores = [];
  for (const record of task.records) {
    const [input] = task.inputsOf(record);
    scores.push(task.score(record, [await engine.run(input, { signal: new AbortController().signal })]));
  }
  return makeScoreSheet(scores, task.measuresOf);
}
