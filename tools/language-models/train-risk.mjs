/**
 * Trains the risk model on the labelled utterances and, as harmless ones, on the turns of calls without any danger.
 *
 *     npm run build && node tools/language-models/train-risk.mjs [--write]
 */
import { writeFileSync } from "node:fs";
import { RISK_KINDS } from "../../dist/core/risk.js";
import { prepareEvaluation } from "../../dist/evaluation/evaluation-tasks.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { damageRecords } from "../../dist/evaluation/text/damaged-record.js";
import { BuiltinRiskDetector } from "../../dist/inference/backends/builtin/classification/builtin-risk-detector.js";
import { riskFeatures } from "../../dist/inference/backends/builtin/classification/risk-reader.js";
import { RiskScan } from "../../dist/inference/backends/builtin/classification/risk-scan.js";
import { packModel } from "../../dist/inference/backends/builtin/linear/linear-weights.js";
import { loadBuiltinAssets } from "../../dist/inference/backends/builtin/load-builtin-assets.js";
import { readCall } from "../../dist/inference/backends/builtin/text/call-reading.js";
import { ScopeReader } from "../../dist/inference/backends/builtin/text/scope-reader.js";
import { plainRecord, saidPlainly } from "./cue-records.mjs";
import { FOLDS, foldOf, labelledDialogues, labelledUtterances, oncePerFold, ROOT } from "./labelled-data.mjs";
import { modelText, trainLogistic } from "./logistic-training.mjs";

const { signal } = new AbortController();
const { assets } = loadBuiltinAssets(`${ROOT}data`);
const scopes = new ScopeReader(assets.scopes);
const scan = new RiskScan(assets, scopes);

function rowsOf(record) {
  const call = readCall(record.segments, { numbers: assets.numbers, scopes }, signal);
  return call
    .filter(({ segment, tokens }) => segment.channel !== "agent" && tokens.length > 0)
    .map((reading) => ({ features: [...riskFeatures(reading, scan.find([reading], signal))], risks: record.fields.risks, isCue: record.isCue === true }));
}

const DENIALS = { en: ["nobody", "he never", "she has not"], sw: ["hakuna", "hapana hakuna mtu"] };
const HAS_DENIAL = /\b(not|never|no|nobody|without|si|ha\p{L}+|bila|hakuna)\b|n't/u;

/** The cue phrases as utterances, and denied: what is said outright is written down in the lexicon, and rarely in the labelled data. */
function cueRecords() {
  return assets.risks.kinds.flatMap(({ kind, levels }) =>
    Object.entries(levels).flatMap(([level, byLanguage]) =>
      Object.entries(byLanguage).flatMap(([language, phrases]) =>
        phrases
          .flatMap(saidPlainly)
          .flatMap((text, index) => [
            plainRecord(text, language, { risks: [{ kind, level }] }),
            ...(HAS_DENIAL.test(text) ? [] : [plainRecord(`${DENIALS[language][index % DENIALS[language].length]} ${text}`, language, { risks: [] })]),
          ]),
      ),
    ),
  );
}

const isIn = ({ risks }, label) => {
  if (label === "danger") return risks.length > 0;
  if (label === "critical") return risks.some(({ level }) => level === "critical");
  if (label === "grave") return risks.some(({ level }) => level === "critical" || level === "high");
  return risks.some(({ kind }) => kind === label);
};

const CUE_WEIGHT = 0.3;

/** @param records - utterances, and calls whose danger is nowhere */
export function trainRisk(records) {
  const bare = damageRecords(records, { isBare: true, wordErrorRate: 0 });
  const rows = [...records, ...bare, ...cueRecords()].flatMap(rowsOf);
  return trainLogistic({
    id: "risk",
    rows,
    labels: ["danger", "grave", "critical", ...RISK_KINDS],
    isIn,
    // How grave a danger is, is asked of dangers only.
    weightOf: (row, label) =>
      (label === "grave" || label === "critical") && row.risks.length === 0 ? 0 : row.isCue ? (row.risks.length > 0 ? CUE_WEIGHT : CUE_WEIGHT / 2) : 1,
  });
}

export function riskRecords() {
  return [...labelledUtterances(), ...labelledDialogues().filter(({ fields }) => fields.risks.length === 0)];
}

/** For each fold the model that has not seen it. */
export const riskModelWithout = oncePerFold((fold) => trainRisk(riskRecords().filter((record) => foldOf(record) !== fold)));

/** Out-of-fold answers, of utterances and of whole calls. */
export async function crossValidateRisk({ damage } = {}) {
  const sheets = {};
  const sets = { utterances: labelledUtterances(), calls: labelledDialogues() };
  const models = Array.from({ length: FOLDS }, (_, fold) => riskModelWithout(fold));
  for (const [name, set] of Object.entries(sets)) {
    const heard = damage === undefined ? set : damageRecords(set, damage);
    const task = prepareEvaluation("risk", heard);
    const scores = [];
    for (const [fold, model] of models.entries()) {
      const riskModel = packModel(model);
      const engine = new BuiltinRiskDetector({ ...assets, riskModel }, "fold");
      for (const record of task.records.filter((one) => foldOf(one) === fold))
        scores.push(task.score(record, [await engine.run({ segments: record.segments }, { signal })]));
    }
    sheets[name] = makeScoreSheet(scores, task.measuresOf);
  }
  return sheets;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes("--write")) {
    const model = trainRisk(riskRecords());
    writeFileSync(`${ROOT}data/models/risk.json`, modelText(model));
    console.log(`${Object.keys(model.weights).length} features`);
  } else {
    for (const [name, { measures }] of Object.entries(await crossValidateRisk())) {
      console.log(`== ${name}`);
      for (const { name: measure, value, cases } of measures) if (cases > 0) console.log(measure.padEnd(38), value?.toFixed(3), cases);
    }
  }
}
