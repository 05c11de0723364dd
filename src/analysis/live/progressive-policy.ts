/**
 * When a call that runs is read anew, and how what was read before and what is read now become one. Pure.
 */
import { type CaseClassification, isMoreUrgent, type LabelDecision, type Priority } from "../../core/case-classification.js";
import type { Entity } from "../../core/entity.js";

export interface ReadingState {
  /** Final text since the last reading. */
  readonly newCharacters: number;
  readonly sinceLastMs: number;
  /** A risk was raised since. */
  readonly hasNewRisk: boolean;
}

const MIN_NEW_CHARACTERS = 150;
const MIN_INTERVAL_MS = 30_000;
/** A label replaces the one shown when it is better by this much, or is found twice in a row. */
const CLEAR_MARGIN = 0.15;

/** At once for a new risk; otherwise when there is enough new text and enough time has passed. */
export function isReadingDue({ newCharacters, sinceLastMs, hasNewRisk }: ReadingState): boolean {
  return hasNewRisk || (newCharacters >= MIN_NEW_CHARACTERS && sinceLastMs >= MIN_INTERVAL_MS);
}

/** What was found before and is not found in the longer text any more stays, unless its words have another label now. */
export function mergeEntities(before: readonly Entity[], now: readonly Entity[]): readonly Entity[] {
  const found = new Set(now.map(({ text }) => text.toLowerCase()));
  return [...now, ...before.filter(({ text }) => !found.has(text.toLowerCase()))];
}

/**
 * What to show next. Priority rises at once, because it is about a child's safety, and like every other label changes or
 * falls only on clear or repeated evidence.
 *
 * @param former - what the reading before `found` found.
 */
export function steadyClassification(
  shown: CaseClassification | undefined,
  former: CaseClassification | undefined,
  found: CaseClassification,
): CaseClassification {
  if (shown === undefined) return found;
  const mainCategory = steady(shown.mainCategory, former?.mainCategory, found.mainCategory);
  const isSameMain = mainCategory.label === shown.mainCategory.label;
  const isFoundMain = mainCategory.label === found.mainCategory.label;
  return {
    contactType: steady(shown.contactType, former?.contactType, found.contactType),
    mainCategory,
    // A sub-category implies its main category: it never comes from another one.
    subCategory:
      isSameMain && isFoundMain ? steady(shown.subCategory, former?.subCategory, found.subCategory) : isFoundMain ? found.subCategory : shown.subCategory,
    intervention: steady(shown.intervention, former?.intervention, found.intervention),
    priority: isHigher(found.priority, shown.priority) ? found.priority : steady(shown.priority, former?.priority, found.priority),
  };
}

function steady<Label extends string>(
  shown: LabelDecision<Label>,
  former: LabelDecision<Label> | undefined,
  found: LabelDecision<Label>,
): LabelDecision<Label> {
  if (found.label === shown.label || shown.label === null) return found;
  const isRepeated = former !== undefined && former.label === found.label;
  return isRepeated || found.score >= shown.score + CLEAR_MARGIN ? found : shown;
}

function isHigher(one: LabelDecision<Priority>, other: LabelDecision<Priority>): boolean {
  return one.label !== null && isMoreUrgent(one.label, other.label ?? undefined);
}
