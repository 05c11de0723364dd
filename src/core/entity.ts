/** Entities: the who, where, how old and what of a call, each with every place it is said. */
import type { Evidence } from "./evidence.js";

export const ENTITY_LABELS = [
  "NAME",
  "VICTIM",
  "PERPETRATOR",
  "LOCATION",
  "LANDMARK",
  "AGE",
  "GENDER",
  "INCIDENT_TYPE",
  "PHONE_NUMBER",
  "DATE_TIME",
  "ORGANISATION",
  "RELATION",
] as const;
export type EntityLabel = (typeof ENTITY_LABELS)[number];

/** One entity. A string has one label in a call: VICTIM replaces NAME. `mentions` is never empty. */
export interface Entity {
  readonly label: EntityLabel;
  readonly text: string;
  /** 0..1 */
  readonly score: number;
  readonly mentions: readonly Evidence[];
}
