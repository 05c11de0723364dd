/** Labels of tokens to labelled spans of text, and their names to ours. Pure. */
import { ENTITY_LABELS, type EntityLabel } from "../../../core/entity.js";
import type { TokenSpan } from "../onnx/token-alignment.js";

export interface LabelledToken {
  readonly span: TokenSpan | null;
  /** As the model names it, such as `B-PER`. */
  readonly label: string;
  /** 0..1 */
  readonly score: number;
}

export interface LabelledSpan extends TokenSpan {
  /** Without `B-` and `I-`. */
  readonly label: string;
  /** Mean over the tokens. */
  readonly score: number;
}

/** Neighbours of one label are one span, unless the second says that it begins anew. `O` spans are left out. */
export function groupLabels(tokens: readonly LabelledToken[]): readonly LabelledSpan[] {
  const groups: { label: string; start: number; end: number; scores: number[] }[] = [];
  for (const { span, label: full, score } of tokens) {
    if (span === null) continue;
    const [, tag = "", label = full] = /^([BI])-(.*)$/u.exec(full) ?? [];
    const last = groups.at(-1);
    if (last !== undefined && last.label === label && tag !== "B") {
      last.end = span.end;
      last.scores.push(score);
    } else groups.push({ label, start: span.start, end: span.end, scores: [score] });
  }
  return groups
    .filter(({ label }) => label !== "O")
    .map(({ label, start, end, scores }) => ({ label, start, end, score: scores.reduce((sum, score) => sum + score, 0) / scores.length }));
}

/** Names that other makers give to what we have. */
const SAME_LABELS: Readonly<Record<string, EntityLabel>> = {
  PER: "NAME",
  PERSON: "NAME",
  LOC: "LOCATION",
  GPE: "LOCATION",
  ORG: "ORGANISATION",
  ORGANIZATION: "ORGANISATION",
  DATE: "DATE_TIME",
  TIME: "DATE_TIME",
  FAC: "LANDMARK",
  PHONE: "PHONE_NUMBER",
};

/** Undefined for a label that means nothing here, such as `MISC`. */
export function toEntityLabel(label: string): EntityLabel | undefined {
  const name = label.toUpperCase();
  return SAME_LABELS[name] ?? ENTITY_LABELS.find((known) => known === name);
}
