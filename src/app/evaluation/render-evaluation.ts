/** An evaluation as a table that a person reads. */
import type { MeasuredValue } from "../../evaluation/score-sheet.js";
import type { Evaluation } from "./evaluate.js";

/** Several lines; measures that nothing was there for are left out. */
export function renderEvaluation(task: string, { engine, revision, records, measures, confusions, worst }: Evaluation): string {
  const shown = measures.filter(({ cases }) => cases > 0);
  const width = Math.max(...shown.map(({ name }) => name.length), 10);
  const lines = [
    `${task}: ${engine} ${revision}, ${records} records`,
    "",
    `${"measure".padEnd(width)}   value  95 % interval   cases`,
    ...shown.map(
      (measure) =>
        `${measure.name.padEnd(width)}  ${figure(measure.value)}  ${figure(measure.low)} .. ${figure(measure.high)}  ${String(measure.cases).padStart(6)}`,
    ),
  ];
  if (confusions.length > 0)
    lines.push("", "taken for another (wanted: given)", ...confusions.map(({ wanted, given, count }) => `${String(count).padStart(4)}  ${wanted}: ${given}`));
  if (worst.length > 0) lines.push("", "worst records", ...worst.flatMap(({ id, faults }) => [`  ${id}`, ...faults.map((fault) => `    ${fault}`)]));
  return lines.join("\n");
}

/** Shares and rates have three decimals; BLEU and chrF go to 100. */
function figure(value: MeasuredValue["value"]): string {
  if (value === undefined) return "     -";
  return (value > 1 ? value.toFixed(1) : value.toFixed(3)).padStart(6);
}
