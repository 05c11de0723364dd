/** Words that are no names by their shape, of which there are too many to list: Swahili verbs, English forms. Pure. */

/** A subject, a tense, a stem. */
const VERB =
  /^(?=.{6})(?:ni|na|u|a|tu|m|wa|i|zi|li|ya|ku|si|hu|ha|hatu|hawa|ham|asi|usi|msi|tusi|wasi)(?:na|me|li|ta|ka|ku|ja|si|nge|ki|po|mw?|wa|ni)?\p{L}+(?:[aei]|eni|ana|wa)$/u;
/** With an object after the tense the stem may be an English one: "akanipush". */
const MIXED_VERB = /^(?:ni|a|u|tu|m|wa)(?:na|li|ta|me|ka|ki)(?:ni|ku|m|wa|tu|ji)\p{L}{2,}$/u;
/** A subject, a tense that can be nothing else, a stem: names of places begin otherwise. */
const TENSED_VERB = /^(?:ni|u|a|tu|m|wa|i|zi|ha|si|hatu|hawa)(?:na|me|li|ta|ka|ki|nge|ja|ku)\p{L}{2,}$/u;
/** With the subject of a person: what stands before one is somebody. */
export const SWAHILI_VERB_OF_PERSON = /^(?:ame|ana|ali|ata|aka|haja|hana|anay|aliy)\p{L}{2}/u;
const ENGLISH_FORM = /\p{L}{3}(?:ing|tion|ment|ness|ful|less|able|ible|ally|ology|graph|ists?)$/u;

export function isSwahiliVerb(word: string): boolean {
  return VERB.test(word) || MIXED_VERB.test(word);
}

/** @param isCommon - knows the word that another is a form of */
export function isEnglishForm(word: string, isCommon: (word: string) => boolean): boolean {
  if (ENGLISH_FORM.test(word)) return true;
  const stems = [/s$/, /es$/, /ed$/, /d$/, /er$/, /ly$/, /y$/].filter((end) => end.test(word)).map((end) => word.replace(end, ""));
  return stems.some((stem) => stem.length > 2 && isCommon(stem));
}

/** Surer than {@link isSwahiliVerb}, and finds less. */
export function isTensedVerb(word: string): boolean {
  return TENSED_VERB.test(word);
}
