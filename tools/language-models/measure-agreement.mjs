/** How far labellers who knew nothing of each other agree: Cohen's kappa for what is said of a call, F1 for marks in its text. */
import { readFileSync } from "node:fs";
import { parseLabelledData } from "../../dist/evaluation/labelled-record.js";
import { makeScoreSheet } from "../../dist/evaluation/score-sheet.js";
import { engineLabel, entityMeasures, scoreEntities } from "../../dist/evaluation/scorers/entity-scores.js";
import { labelledDialogues, labelledUtterances, ROOT } from "./labelled-data.mjs";

const second = (name) =>
  readFileSync(`${ROOT}data/labelled/second-${name}.jsonl`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** @returns rows of what was judged: pairs, the share that is alike, kappa */
export function measureAgreement() {
  const calls = pair(labelledDialogues(), second("dialogues"));
  const utterances = pair(labelledUtterances(), second("utterances"));
  const isDanger = ({ risks }) => String(risks.length > 0);
  const levels = ({ risks }) => (risks.some(({ level }) => level === "critical" || level === "high") ? "high" : risks.length > 0 ? "lower" : "none");
  return [
    ...["contact_type", "main_category", "sub_category", "intervention", "priority"].map((field) => judge(field.replace("_", " "), calls, (one) => one[field])),
    judge("critical priority or not", calls, ({ priority }) => String(priority === "critical")),
    judge("any risk in a call", calls, isDanger),
    judge("any risk in an utterance", utterances, isDanger),
    judge("level of an utterance's worst risk: high, lower, none", utterances, levels),
    kinds("kinds of risk in an utterance with one", utterances),
  ];
}

/** @returns the F1 of the second labeller's marks against the first's, by distinct string, with how many the first has; as of an engine */
export function measureMarkAgreement(labels) {
  const firsts = new Map(labelledDialogues().map((record) => [record.id, record]));
  const scores = second("marks").map(({ id, turns }) => {
    const first = firsts.get(id);
    if (first === undefined) throw new Error(`second marks of ${id}, which is not there`);
    const marked = turns.map((text, index) => ({ ...first.fields.turns[index], text }));
    const [other] = parseLabelledData(JSON.stringify({ id, turns: marked }));
    const found = other.marks.map((mark) => ({ ...mark, label: engineLabel(mark.label), text: mark.said }));
    return scoreEntities(first, found, labels);
  });
  const { measures } = makeScoreSheet(scores, entityMeasures(labels));
  return { calls: scores.length, rows: labels.map((label) => ({ label, ...measures.find(({ name }) => name === `${label} distinct F1`) })) };
}

/** By id. @throws when a second label has no first */
function pair(records, labels) {
  const firsts = new Map(records.map(({ id, fields }) => [id, fields]));
  return labels.map((label) => {
    const first = firsts.get(label.id);
    if (first === undefined) throw new Error(`a second label of ${label.id}, which is not there`);
    return [first, label];
  });
}

function judge(name, pairs, labelOf) {
  const labels = pairs.map(([first, other]) => [labelOf(first) ?? "none", labelOf(other) ?? "none"]);
  return { name, pairs: labels.length, ...kappaOf(labels) };
}

/** Each kind is a judgement of its own: there or not. */
function kinds(name, pairs) {
  const marked = pairs.filter((both) => both.some(({ risks }) => risks.length > 0));
  const all = [...new Set(marked.flatMap((both) => both.flatMap(({ risks }) => risks.map(({ kind }) => kind))))];
  const has = ({ risks }, kind) => String(risks.some((risk) => risk.kind === kind));
  const labels = marked.flatMap(([first, other]) => all.map((kind) => [has(first, kind), has(other, kind)]));
  return { name, pairs: marked.length, ...kappaOf(labels) };
}

function kappaOf(labels) {
  const share = (count) => count / labels.length;
  const alike = share(labels.filter(([first, other]) => first === other).length);
  const names = [...new Set(labels.flat())];
  const byChance = names.reduce(
    (sum, name) => sum + share(labels.filter(([first]) => first === name).length) * share(labels.filter(([, other]) => other === name).length),
    0,
  );
  return { alike, kappa: byChance === 1 ? 1 : (alike - byChance) / (1 - byChance) };
}
