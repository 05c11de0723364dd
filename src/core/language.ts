/** Languages as BCP 47 tags, and `mixed`. `und` means "not determined"; it is never guessed into another tag. */

/** A BCP 47 language tag such as `sw`, `en`, `lg`, or `und`; of a segment also `mixed`. */
export type LanguageTag = string;

export const UNDETERMINED_LANGUAGE = "und";

/** Two languages within one segment, as callers speak; which two, the words tell. Written in place of a tag, and no tag itself. */
export const MIXED_LANGUAGE = "mixed";

/** True for a well-formed simple tag: 2-3 letters, optional script and region. */
export function isLanguageTag(value: string): boolean {
  return /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/.test(value);
}
