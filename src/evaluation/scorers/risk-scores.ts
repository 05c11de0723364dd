/**
 * Risk: `any danger` asks whether a record in danger was noticed at all (a finding of medium level or above) and a safe one
 * left alone; `any hint` counts findings of low level too; `by kind` asks for each kind; recall by level says how much of the worst was seen. A `false high alert` is a
 * finding of high or critical level in a record without any danger.
 */
import type { RiskFinding } from "../../core/risk.js";
import { foundMeasures, type Measure, quotient, type RecordScore, type Sum, tally } from "../counts.js";
import type { LabelledRecord } from "../labelled-record.js";

const LEVELS = ["critical", "high", "medium", "low"] as const;
const SAFE_KINDS = ["safe", "scary", "denial", "past", "joke", "hypothetical", "question"] as const;

export function scoreRisk(record: LabelledRecord, findings: readonly RiskFinding[]): RecordScore {
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  const wanted = record.fields.risks ?? [];
  const given = new Set(findings.map(({ kind }) => kind as string));
  const isNoticed = findings.some(({ level }) => level !== "low");
  const hasAlert = findings.some(({ level }) => level === "high" || level === "critical");
  if (wanted.length > 0) {
    tally(counts, `any ${isNoticed ? "right" : "missed"}`);
    tally(counts, `hint ${findings.length > 0 ? "right" : "missed"}`);
    if (wanted.some(({ level }) => level === "critical")) tally(counts, `critical ${hasAlert ? "alerted" : "not alerted"}`);
  } else {
    tally(counts, "harmless records");
    if (isNoticed) tally(counts, "any wrong");
    if (findings.length > 0) tally(counts, "hint wrong");
    if (hasAlert) tally(counts, "harmless records alerted");
    const kind = record.fields.kind;
    if (kind !== undefined) tally(counts, `${kind} cases`);
    if (kind !== undefined && hasAlert) tally(counts, `${kind} alerted`);
  }
  for (const { kind, level } of wanted) {
    const outcome = given.has(kind) ? "right" : "missed";
    tally(counts, `kind ${kind} ${outcome}`);
    tally(counts, `level ${level} ${outcome}`);
    if (outcome === "missed") faults.push(`missed ${kind}, ${level}`);
  }
  for (const { kind, level } of findings) {
    if (wanted.some((risk) => risk.kind === kind)) continue;
    tally(counts, `kind ${kind} wrong`);
    faults.push(`wrong ${kind}, ${level}`);
  }
  return { id: record.id, counts, faults };
}

/** @param kinds - those the data use */
export function riskMeasures(kinds: readonly string[]): (sum: Sum) => readonly Measure[] {
  return (sum) => {
    const found = (prefix: string): { readonly right: number; readonly wrong: number; readonly missed: number } => ({
      right: sum(`${prefix} right`),
      wrong: sum(`${prefix} wrong`),
      missed: sum(`${prefix} missed`),
    });
    const share = (name: string, part: number, cases: number): Measure => ({ name, value: quotient(part, cases), cases });
    const all = kinds.map((kind) => found(`kind ${kind}`));
    const total = (outcome: "right" | "wrong" | "missed"): number => all.reduce((added, one) => added + one[outcome], 0);
    return [
      ...foundMeasures("any danger", found("any")),
      ...foundMeasures("any hint", found("hint")),
      share("high alerts in critical records", sum("critical alerted"), sum("critical alerted") + sum("critical not alerted")),
      ...foundMeasures("by kind", { right: total("right"), wrong: total("wrong"), missed: total("missed") }),
      ...LEVELS.map((level) => share(`recall of ${level}`, sum(`level ${level} right`), sum(`level ${level} right`) + sum(`level ${level} missed`))),
      share("false high alerts in safe records", sum("harmless records alerted"), sum("harmless records")),
      ...SAFE_KINDS.map((kind) => share(`false high alerts, ${kind}`, sum(`${kind} alerted`), sum(`${kind} cases`))),
      ...kinds.flatMap((kind) => foundMeasures(kind, found(`kind ${kind}`)).slice(1)),
    ];
  };
}
