/** A classification in the builtin labels, told in a helpline's own. What its taxonomy has no label for is not said. Pure. */
import { ABSTAINED, type CaseClassification, type LabelDecision } from "../../../../core/case-classification.js";

export interface HelplineLabels {
  /** Changes with the file. */
  readonly revision: string;
  /** Main category of each of the helpline's sub-categories. */
  readonly mainOf: ReadonlyMap<string, string>;
  /** The helpline's label by the builtin one. */
  readonly subCategories: ReadonlyMap<string, string>;
  readonly interventions: ReadonlyMap<string, string>;
}

/** The sub-category still implies the main one; a main category alone has no counterpart in another list. */
export function toHelplineLabels(classification: CaseClassification, { mainOf, subCategories, interventions }: HelplineLabels): CaseClassification {
  const subCategory = relabel(classification.subCategory, subCategories);
  return {
    ...classification,
    mainCategory: relabel(subCategory, mainOf),
    subCategory,
    intervention: relabel(classification.intervention, interventions),
  };
}

function relabel(decision: LabelDecision, labels: ReadonlyMap<string, string>): LabelDecision {
  const label = decision.label === null ? undefined : labels.get(decision.label);
  return label === undefined ? ABSTAINED : { ...decision, label };
}
