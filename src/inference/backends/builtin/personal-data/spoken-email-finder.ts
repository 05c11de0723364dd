/** E-mail addresses as they are spoken: "wanjiru dot k at gmail dot com". */
import type { PersonalDataLexicon } from "../asset-schemas.js";
import type { TextReading } from "../text/text-reading.js";
import type { TokenRange } from "../text/tokenizer.js";

const JOINERS = new Set(["underscore", "dash", "hyphen", "minus"]);
const LONGEST_LOCAL_PART = 12;

/** Ranges of tokens that spell an address. */
export function findSpokenEmails({ tokens }: TextReading, { at, dot, domains }: PersonalDataLexicon["email"]): readonly TokenRange[] {
  const word = (index: number): string => tokens[index]?.norm ?? "";
  const found: TokenRange[] = [];
  for (let index = 1; index < tokens.length; index += 1) {
    if (!at.includes(word(index))) continue;
    let end = index + 1;
    while (end < tokens.length && end - index <= 6 && !domains.includes(word(end))) end += 1;
    const isDomain = domains.includes(word(end)) && (dot.includes(word(end - 1)) || word(end) === "com");
    if (!isDomain) continue;
    while (dot.includes(word(end + 1)) && domains.includes(word(end + 2))) end += 2;
    let first = index - 1;
    const isJoined = (before: number): boolean =>
      dot.includes(word(before)) || JOINERS.has(word(before)) || word(before).length === 1 || /^\d+$/.test(word(before));
    while (first > 0 && index - first < LONGEST_LOCAL_PART && (isJoined(first - 1) || isJoined(first))) first -= 1;
    found.push({ firstToken: first, endToken: end + 1 });
  }
  return found;
}
