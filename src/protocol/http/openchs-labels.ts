/** Labels and marks in the words of the Python service that this one replaces, for its clients (`?shape=openchs`). */
import type { CaseClassification, LabelDecision, Priority } from "../../core/case-classification.js";
import type { Entity, EntityLabel } from "../../core/entity.js";
import type { QualityScore } from "../../core/quality-score.js";

/** It had no way to say "not enough evidence"; one of its versions had this word. */
const UNKNOWN = "Unknown";

/** Its numbers had two meanings; this is that of its user interface, where 3 is red. */
const PRIORITY_NUMBERS: Readonly<Record<Priority, string>> = { low: "1", medium: "2", high: "3", critical: "3" };

/** Ours names the main category in brackets where two have a sub-category of one name; its labels did not. */
function plainLabel({ label }: LabelDecision): string {
  return label?.replace(/ \((Information|Advice and Counselling|Child Maintenance & Custody|Disability|GBV|Nutrition|VANE)\)$/, "") ?? UNKNOWN;
}

export interface OpenchsClassification {
  readonly main_category: string;
  readonly sub_category: string;
  readonly sub_category_2: string | null;
  readonly intervention: string;
  readonly priority: string;
}

export function openchsClassification(classification: CaseClassification): OpenchsClassification {
  const { mainCategory, subCategory, intervention, priority } = classification;
  return {
    main_category: plainLabel(mainCategory),
    sub_category: plainLabel(subCategory),
    sub_category_2: null,
    intervention: plainLabel(intervention),
    priority: priority.label === null ? UNKNOWN : PRIORITY_NUMBERS[priority.label],
  };
}

/** Scores of the heads, under its names. */
export function openchsScores({ mainCategory, subCategory, intervention, priority }: CaseClassification) {
  return {
    main_category: mainCategory.score,
    sub_category: subCategory.score,
    sub_category_2: null,
    intervention: intervention.score,
    priority: priority.score,
  };
}

/** Labels it did not have are left out: its clients would not know what to do with them. */
const NEW_LABELS: readonly EntityLabel[] = ["DATE_TIME", "ORGANISATION", "RELATION"];

export function openchsEntities(entities: readonly Entity[]): readonly Entity[] {
  return entities.filter(({ label }) => !NEW_LABELS.includes(label));
}

/** Items without enough evidence are left out: it knew passed and failed only. */
export function openchsQuality({ heads }: QualityScore) {
  return Object.fromEntries(
    heads.map(({ head, items }) => [
      head,
      items
        .filter(({ mark }) => mark !== "not_enough_evidence")
        .map(({ item, mark, score }) => {
          const isMet = mark === "met";
          return { submetric: item, prediction: isMet, score: isMet ? "✓" : "✗", probability: isMet ? score : 1 - score };
        }),
    ]),
  );
}
