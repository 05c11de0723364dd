/** Languages as BCP 47 tags. `und` means "not determined"; it is never guessed into another tag. */

/** A BCP 47 language tag such as `sw`, `en`, `lg`, or `und`. */
export type LanguageTag = string;

export const UNDETERMINED_LANGUAGE = "und";

/** True for a well-formed simple tag: 2-3 letters, optional script and region. */
export function isLanguageTag(value: string): boolean {
  return /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/.test(value);
}
