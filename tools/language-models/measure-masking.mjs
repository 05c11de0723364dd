/** What a reader who may not read calls would still see of personal data. Nothing is trained: there are no folds. */
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { piiMeasures, scorePii } from "../../dist/evaluation/scorers/pii-scores.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { createBuiltinPiiDetector } from "../../dist/inference/backends/builtin/personal-data/builtin-pii-detector.js";
import { labelledPersonalData, ROOT } from "./labelled-data.mjs";

const detector = createBuiltinPiiDetector({ assetsDirectory: `${ROOT}data` });

/**
 * @param set - `a`, `b` or `c`
 * @param damage - done to the texts first; none when undefined
 */
export function measureMasking(set, damage) {
  const records = labelledPersonalData(set);
  const scores = (damage === undefined ? records : damageRecords(records, damage)).map((record) => scorePii(record, detector));
  return makeScoreSheet(scores, piiMeasures);
}
