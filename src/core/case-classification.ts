/** Case classification: what kind of case a call is, how urgent, and what the helpline did. */
import type { Evidence } from "./evidence.js";

export const PRIORITIES = ["low", "medium", "high", "critical"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Whether a danger of this level is more urgent than what is known; anything is, than nothing. */
export function isMoreUrgent(level: Priority, than: Priority | undefined): boolean {
  return than === undefined || PRIORITIES.indexOf(level) > PRIORITIES.indexOf(than);
}

export const CONTACT_TYPES = ["counselling", "information", "silent", "prank", "wrong_number"] as const;
export type ContactType = (typeof CONTACT_TYPES)[number];

/** A label with what carried it. `label: null` means "not enough evidence", which is an answer. */
export interface LabelDecision<Label extends string = string> {
  readonly label: Label | null;
  /** 0..1; 0 with a null label. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

/** "Not enough evidence", which is an answer. */
export const ABSTAINED: LabelDecision<never> = { label: null, score: 0, evidence: [] };

/** The sub-category implies its main category; the two never contradict each other. */
export interface CaseClassification {
  readonly contactType: LabelDecision<ContactType>;
  readonly mainCategory: LabelDecision;
  readonly subCategory: LabelDecision;
  readonly intervention: LabelDecision;
  readonly priority: LabelDecision<Priority>;
}
