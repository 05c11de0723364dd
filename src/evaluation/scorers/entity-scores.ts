/**
 * Entities against labels, three ways: `distinct` (same label and words, once a record, whatever their case), `strict` (same
 * place and label) and `overlapping` (same label, some of the same words). Labels that the data never use are not counted. Places that follow each other with nothing but a
 * comma between ("Kawangware, Nairobi") count as one, in the labels and in what was found. A school by its name, which labellers keep
 * apart for masking, is a landmark.
 */
import type { EntityLabel } from "../../core/entity.js";
import { normalizeWords } from "../../core/text/word-alignment.js";
import { foundMeasures, type Measure, type RecordScore, type Sum, tally } from "../counts.js";
import type { LabelledRecord } from "../labelled-record.js";

/** What was found: one place of one entity. */
export interface FoundMention {
  readonly label: string;
  readonly segmentId: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly text: string;
}

/** The labels of `known` that the data use. */
export function usedLabels<Label extends string = EntityLabel>(records: readonly LabelledRecord[], known: readonly Label[]): readonly Label[] {
  const used = new Set(records.flatMap(({ marks }) => marks.map(({ label }) => label)));
  return known.filter((label) => used.has(label));
}

/** The label that engines give what is marked so: a school by its name is a landmark to them. */
export function engineLabel(label: string): string {
  return label === "SCHOOL" ? "LANDMARK" : label;
}

export function scoreEntities(record: LabelledRecord, found: readonly FoundMention[], labels: readonly string[]): RecordScore {
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  const counted = new Set(labels);
  const wanted = joinPlaces(
    record,
    record.marks.map((mark) => ({ ...mark, label: engineLabel(mark.label), text: mark.said })).filter(({ label }) => counted.has(label)),
  );
  const given = joinPlaces(
    record,
    found.filter(({ label }) => counted.has(label)),
  );
  compare(
    wanted,
    given,
    { kind: "strict", keyOf: ({ label, segmentId, startOffset, endOffset }) => `${label} ${segmentId} ${startOffset} ${endOffset}` },
    counts,
  );
  compareOverlapping(wanted, given, counts);
  compare(wanted, given, { kind: "distinct", keyOf: ({ label, text }) => `${label} ${normalizeWords(text).join(" ")}` }, counts, faults);
  return { id: record.id, counts, faults };
}

function joinPlaces({ segments }: LabelledRecord, mentions: readonly FoundMention[]): readonly FoundMention[] {
  const texts = new Map(segments.map(({ id, text }) => [id, text]));
  const joined: FoundMention[] = [];
  for (const mention of [...mentions].sort((one, other) => one.segmentId.localeCompare(other.segmentId) || one.startOffset - other.startOffset)) {
    const last = joined.at(-1);
    const between = last?.segmentId === mention.segmentId ? (texts.get(mention.segmentId) ?? "").slice(last.endOffset, mention.startOffset) : undefined;
    if (last?.label === "LOCATION" && mention.label === "LOCATION" && between !== undefined && /^\s*,\s*$/.test(between)) {
      joined[joined.length - 1] = { ...last, endOffset: mention.endOffset, text: `${last.text}${between}${mention.text}` };
    } else joined.push(mention);
  }
  return joined;
}

interface Comparison {
  readonly kind: "strict" | "distinct";
  readonly keyOf: (mention: FoundMention) => string;
}

function compare(
  wanted: readonly FoundMention[],
  given: readonly FoundMention[],
  { kind, keyOf }: Comparison,
  counts: Record<string, number>,
  faults: string[] = [],
): void {
  const missing = new Map(wanted.map((mention) => [keyOf(mention), mention]));
  const extra = new Map(given.map((mention) => [keyOf(mention), mention]));
  for (const [key, { label }] of [...missing]) {
    if (!extra.delete(key)) continue;
    missing.delete(key);
    tally(counts, `${kind} ${label} right`);
  }
  for (const { label, text } of missing.values()) {
    tally(counts, `${kind} ${label} missed`);
    faults.push(`missed ${label}: ${text}`);
  }
  for (const { label, text } of extra.values()) {
    tally(counts, `${kind} ${label} wrong`);
    faults.push(`wrong ${label}: ${text}`);
  }
}

function compareOverlapping(wanted: readonly FoundMention[], given: readonly FoundMention[], counts: Record<string, number>): void {
  const overlaps = (one: FoundMention, other: FoundMention): boolean =>
    one.label === other.label && one.segmentId === other.segmentId && one.startOffset < other.endOffset && other.startOffset < one.endOffset;
  for (const mention of wanted) tally(counts, `overlapping ${mention.label} ${given.some((found) => overlaps(mention, found)) ? "right" : "missed"}`);
  for (const found of given) if (!wanted.some((mention) => overlaps(mention, found))) tally(counts, `overlapping ${found.label} wrong`);
}

export function entityMeasures(labels: readonly string[]): (sum: Sum) => readonly Measure[] {
  return (sum) => [
    ...labels.flatMap((label) => measuresOf("distinct", label, [label], sum)),
    ...measuresOf("distinct", "all labels", labels, sum),
    ...labels.flatMap((label) => measuresOf("strict", label, [label], sum).slice(0, 1)),
    ...measuresOf("strict", "all labels", labels, sum),
    ...labels.flatMap((label) => measuresOf("overlapping", label, [label], sum).slice(0, 1)),
    ...measuresOf("overlapping", "all labels", labels, sum),
  ];
}

function measuresOf(kind: string, name: string, labels: readonly string[], sum: Sum): readonly Measure[] {
  const of = (outcome: string): number => labels.reduce((total, label) => total + sum(`${kind} ${label} ${outcome}`), 0);
  return foundMeasures(`${name} ${kind}`, { right: of("right"), wrong: of("wrong"), missed: of("missed") });
}
