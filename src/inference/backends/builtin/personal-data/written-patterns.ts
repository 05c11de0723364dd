/** Personal data that is known by how it is written: addresses of mail and of houses, plates, numbers with their own shape. */
import type { PiiKind, PiiSpan } from "../../../../security/masking/pii-detector.js";

// Lengths are limited: a text of one endless word must not take for ever.
const PATTERNS: readonly (readonly [PiiKind, RegExp])[] = [
  ["EMAIL", /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63})+/gu],
  // "Kiplangat arap Soi", "Amina binti Salim".
  ["NAME", /(?<!\p{L})\p{Lu}[\p{L}'’]+\s(?:arap|ole|ene|bin|binti|ibn|nyar)\s\p{Lu}[\p{L}'’]+/gu],
  ["NAME", /(?<!\p{L})[\p{L}'’]{3,}\sarap\s[\p{L}'’]{3,}/giu],
  // Uganda's NIN, Tanzania's NIDA.
  ["NATIONAL_ID", /\bC[MF]\d{2}[0-9A-Z]{9,10}\b/gi],
  ["NATIONAL_ID", /\b(?:19|20)\d{6}-?\d{5}-?\d{5}-?\d{2}\b/g],
  // Kenya, Uganda, Tanzania; motorcycles of each.
  ["PLATE", /\bK(?:[A-Z]{2}|M[A-Z]{2})\s?\d{3}\s?[A-Z]\b/gi],
  ["PLATE", /\bU(?:[A-Z]{2}|G)\s?\d{3,4}\s?[A-Z]\b/gi],
  ["PLATE", /\b(?:T|MC)\s?\d{3}\s?[A-Z]{3}\b/gi],
  ["PLATE", /\b[KU][A-Z]{2}\s\d{3}\b/g],
  // Of governments, police, foreign missions.
  ["PLATE", /\b[A-Z]{2,3}\s?\d{3}\s?[A-Z]\b/g],
  ["CASE_NUMBER", /\b(?:OB|RB|CR|[A-Z]{2,5})(?:\s?(?:no\.?|number|namba))?[\s/-]{0,2}\d+(?:[/-]\w+)+\b/g],
  ["CASE_NUMBER", /\b\p{Lu}{2,5}(?:[/-][\p{L}\p{N}]{1,20}){0,8}[/-]\d[\p{L}\p{N}]{0,20}(?:[/-][\p{L}\p{N}]{1,20}){0,8}/gu],
  [
    "CASE_NUMBER",
    /(?<![\p{L}\p{N}/])(?=[\p{L}\p{N}/]{0,30}\p{L})(?=[\p{L}\p{N}/]{0,30}\p{N})[\p{L}\p{N}]{1,12}(?:\/[\p{L}\p{N}]{1,12}){2,6}(?![\p{L}\p{N}])/gu,
  ],
  ["CASE_NUMBER", /\b[A-Z]{2,7}\s\d{2,6}\sof\s(?:19|20)\d{2}\b/g],
  ["CASE_NUMBER", /\b(?!(?:KSH|KES|KSHS|TSH|TZS|TSHS|UGX|USH|USD|SHS|SH|HIV|PM|AM)\b)[A-Z]{2,5}\s?\d{3,}\b/g],
  [
    "ADDRESS",
    /(?<!\p{L})(?:[Pp]\.?\s?[Oo]\.?\s?[Bb][Oo][Xx]|[Ss]\.?\s?[Ll]\.?\s?[Pp]\.?|[Bb]ox|[Pp]ost\s[Oo]ffice\s[Bb]ox)\s?\d[\d-]*(?:,\s\p{Lu}[\p{L}'’]+)*/gu,
  ],
  ["ADDRESS", /\b(?:ground|first|second|third|fourth|fifth|\d+(?:st|nd|rd|th))\sfloor\b/gi],
  [
    "ADDRESS",
    /\b(?:[Pp]lot|[Hh]ouse|[Ff]lat|[Aa]partment|[Dd]oor|[Rr]oom|[Bb]lock|[Nn]yumba|[Cc]humba|[Kk]iwanja)\s(?:(?:no\.?|number|namba|nambari)\s)?(?:\p{L}{0,2}-?\d+\p{L}?|(?!I\b)\p{Lu}\d*)\b/gu,
  ],
];

/** Every match; spans of different patterns may overlap. */
export function findWrittenPatterns(text: string): readonly PiiSpan[] {
  return PATTERNS.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ kind, startOffset: match.index, endOffset: match.index + match[0].length })),
  );
}
