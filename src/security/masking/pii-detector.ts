/** The contract of what finds personal data in a text: what could tell who or where somebody is, or reach them. */

/** What is surest about its kind comes first: where two lie over each other, it names both. */
export const PII_KINDS = ["EMAIL", "NATIONAL_ID", "PLATE", "CASE_NUMBER", "ACCOUNT_NUMBER", "PHONE_NUMBER", "ADDRESS", "SCHOOL", "NAME", "PLACE"] as const;
/** `PLACE`: below the level of a district. */
export type PiiKind = (typeof PII_KINDS)[number];

/** Offsets are UTF-16 code units of the text, half-open. */
export interface PiiSpan {
  readonly kind: PiiKind;
  readonly startOffset: number;
  readonly endOffset: number;
  /** A name that is a word as well ("Joy"): elsewhere it is a name only with a capital, in a text that has capitals. */
  readonly isWord?: true;
}

export interface PiiDetector {
  /** Another one may find something else in the same texts. */
  readonly revision: string;
  /**
   * Finds personal data in what was said one after the other; an answer is read in the light of its question.
   *
   * @returns for each text its spans, in order, none over another.
   */
  detect(texts: readonly string[]): readonly (readonly PiiSpan[])[];
}
