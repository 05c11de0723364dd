/** The labels a person can choose from when correcting one: closed lists where there are, otherwise what this page has met. */
import { type Classification, type ClassificationHead, CONTACT_TYPES, LEVELS } from "../wire/call-shapes.js";

export type KnownLabels = Readonly<Partial<Record<ClassificationHead, readonly string[]>>>;

export interface LabelChoices {
  readonly labels: readonly string[];
  /** Whether no other label is possible. */
  readonly isClosed: boolean;
}

const CLOSED: KnownLabels = { contact_type: CONTACT_TYPES, priority: LEVELS };

export function toChoices(head: ClassificationHead, known: KnownLabels, refusedWith: readonly string[]): LabelChoices {
  const closed = CLOSED[head] ?? (refusedWith.length > 0 ? refusedWith : undefined);
  if (closed !== undefined) return { labels: closed, isClosed: true };
  return { labels: known[head] ?? [], isClosed: false };
}

/** Remembers the labels of a classification, each once, in alphabetical order. */
export function withKnownLabels(known: KnownLabels, classification: Classification): KnownLabels {
  const next: Partial<Record<ClassificationHead, readonly string[]>> = { ...known };
  let hasChanged = false;
  for (const head of ["main_category", "sub_category", "intervention"] as const) {
    const label = classification[head].label;
    if (label === null || next[head]?.includes(label) === true) continue;
    next[head] = [...(next[head] ?? []), label].sort((one, other) => one.localeCompare(other));
    hasChanged = true;
  }
  return hasChanged ? next : known;
}
