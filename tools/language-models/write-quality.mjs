/**
 * Measures the builtin engines on data/labelled, each record by models that have not seen its story, and writes docs/quality.md:
 *
 *     npm run quality
 */
import { writeFileSync } from "node:fs";
import { labelledDialogues, labelledUtterances, ROOT } from "./labelled-data.mjs";
import { crossValidateCases } from "./train-cases.mjs";
import { crossValidateEntities } from "./train-entities.mjs";
import { crossValidateRisk } from "./train-risk.mjs";

const CONDITIONS = [
  ["as written", undefined],
  ["bare", { isBare: true, wordErrorRate: 0 }],
  ["20 % of words wrong", { isBare: true, wordErrorRate: 0.2 }],
  ["45 %", { isBare: true, wordErrorRate: 0.45 }],
  ["60 %", { isBare: true, wordErrorRate: 0.6 }],
];
const ENTITY_ROWS = "NAME VICTIM PERPETRATOR LOCATION LANDMARK AGE GENDER INCIDENT_TYPE PHONE_NUMBER DATE_TIME ORGANISATION RELATION".split(" ");

const figure = (value) => (value === undefined ? "" : value.toFixed(2));
const find = ({ measures }, name) => measures.find((measure) => measure.name === name);
const table = (head, rows) => [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");

/** A table of measures by condition; the interval is that of the first. */
function byCondition(sheets, names) {
  const rows = names.map(([name, shown]) => {
    const first = find(sheets[0], name);
    return [
      shown ?? name,
      `${figure(first?.value)} (${figure(first?.low)} to ${figure(first?.high)})`,
      ...sheets.slice(1).map((sheet) => figure(find(sheet, name)?.value)),
      first?.cases ?? 0,
    ];
  });
  return table(["", `${CONDITIONS[0][0]} (95 %)`, ...CONDITIONS.slice(1).map(([name]) => name), "cases"], rows);
}

const sequence = async (work) => {
  const found = [];
  for (const [, damage] of CONDITIONS) found.push(await work(damage));
  return found;
};
const entities = await sequence((damage) => crossValidateEntities({ damage }));
const risks = await sequence((damage) => crossValidateRisk({ damage }));
const cases = await sequence((damage) => crossValidateCases({ damage }));
const [dialogues, utterances] = [labelledDialogues().length, labelledUtterances().length];

writeFileSync(
  `${ROOT}docs/quality.md`,
  `# How good the builtin engines are

Written by \`npm run quality\` from \`data/labelled\`: ${dialogues} calls and ${utterances} utterances, English, Swahili and mixed. All of them are
made up, written and labelled by authors who had not seen the lexicons, the rules or each other's work (they are language
models; no counsellor has looked at them). Five folds by story: each record is judged by models trained on the other four. The
rules and lexicons were changed after looking at what went wrong in about half of the first 150 calls; the utterances and the other calls were
not looked at. Thresholds and the ways of learning were chosen by the figures of these same folds, so they are somewhat too good. **None of this is a measurement on real calls**; real calls are longer, noisier and plainer. Measure on your own with
\`openchs-ai evaluate\` (\`data/labelled/GUIDELINES.md\` says how records look). On \`data/labelled\` itself \`evaluate\` gives higher
figures than these, since the shipped models were trained on it.

"Bare" is without capitals and punctuation; then words are misheard, lost or added. A figure in brackets is a 95 % bootstrap
interval over records.

## Entities

F1 by distinct string per label and call, whatever the case. \`GENDER\` counts what the guidelines mark; the engine also tells it by
"daughter" or "she", which they do not. A text that does not say who speaks is read by the rules alone.

${byCondition(entities, [...ENTITY_ROWS.map((label) => [`${label} distinct F1`, label]), ["all labels distinct F1", "all labels"], ["all labels strict F1", "all labels, exact places"], ["all labels overlapping F1", "all labels, overlapping places"]])}

## Risk, by utterance

"Noticed" is any finding of medium level or above, "hint" any at all. A false high alert is a finding of high or critical level
where there is no danger.

${byCondition(
  risks.map(({ utterances: sheet }) => sheet),
  [
    ["any danger recall", "noticed"],
    ["any danger precision", "noticed, precision"],
    ["any hint recall", "hint"],
    ["any hint precision", "hint, precision"],
    ["high alerts in critical records", "critical with a high alert"],
    ["by kind recall", "right kind, recall"],
    ["by kind precision", "right kind, precision"],
    ["false high alerts in safe records", "false high alerts"],
    ["false high alerts, scary", "… in safe but scary words"],
    ["false high alerts, past", "… in what is safely over"],
    ["false high alerts, denial", "… in denials"],
  ],
)}

## Risk, by call

${byCondition(
  risks.map(({ calls: sheet }) => sheet),
  [
    ["any danger recall", "noticed"],
    ["any danger precision", "noticed, precision"],
    ["high alerts in critical records", "critical with a high alert"],
    ["false high alerts in safe records", "false high alerts"],
  ],
)}

## Case

Accuracy counts an abstention as wrong; precision counts what was answered. ECE is the expected calibration error, ten bins.

${byCondition(cases, ["contact type", "main category", "sub category", "intervention", "priority"].flatMap((name) => [[`${name} accuracy`], [`${name} precision`], [`${name} answered`], [`${name} ECE`]]).concat([["recall of critical priority"]]))}

## What falls short of what we aim at

| aim | seen |
|---|---|
| main category 0.85 (English), 0.80 (Swahili, mixed); sub-category 0.70; priority 0.80 | ${["main category", "sub category", "priority"].map((name) => figure(find(cases[0], `${name} accuracy`)?.value)).join(", ")} |
| recall of critical priority 0.95 | ${figure(find(cases[0], "recall of critical priority")?.value)} |
| risk recall 0.97 at precision 0.70 | ${figure(find(risks[0].utterances, "any danger recall")?.value)} at ${figure(find(risks[0].utterances, "any danger precision")?.value)}; with hints ${figure(find(risks[0].utterances, "any hint recall")?.value)} at ${figure(find(risks[0].utterances, "any hint precision")?.value)} |
| false high alerts in scary words at most 0.05 | ${figure(find(risks[0].utterances, "false high alerts, scary")?.value)} |
| VICTIM 0.75, PERPETRATOR 0.70, LANDMARK 0.70, PHONE_NUMBER 0.95 | ${["VICTIM", "PERPETRATOR", "LANDMARK", "PHONE_NUMBER"].map((label) => figure(find(entities[0], `${label} distinct F1`)?.value)).join(", ")} |
`,
);
