/** Cue phrases of the lexicons as utterances to learn from. */

/** Ways to say a cue phrase: each word of a slot in its turn. A verb without its beginning gets some. */
export function saidPlainly(phrase) {
  const slots = phrase.split(" ").filter((slot) => slot !== "..." && !slot.endsWith("?"));
  const words = slots.map((slot) => slot.split("|").flatMap(formsOf));
  const longest = Math.max(...words.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => words.map((forms) => forms[at % forms.length]).join(" "));
}

function formsOf(word) {
  if (word === "#") return ["two"];
  if (word.endsWith("*")) return [word.slice(0, -1)];
  return word.startsWith("*") ? ["ana", "ame", "ali", "wana", "wame"].map((prefix) => prefix + word.slice(1)) : [word];
}

/** One utterance of the caller. @param fields - its labels */
export function plainRecord(text, language, fields) {
  return { isCue: true, fields, marks: [], segments: [{ id: "s1", channel: "caller", startMs: 0, endMs: 4000, text, language, score: null }] };
}
