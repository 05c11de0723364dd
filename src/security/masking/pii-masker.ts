/**
 * Masks personal data of one call: each is replaced by its kind and a number that is the same wherever it is said again in
 * the call (`[NAME_1]`). What was found once is masked wherever it stands, also where nothing around it tells what it is.
 */
import type { Evidence } from "../../core/evidence.js";
import type { TranscriptSegment } from "../../core/transcript.js";
import type { PiiDetector, PiiKind, PiiSpan } from "./pii-detector.js";

export interface MaskedPiece {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly pseudonym: string;
}

/** A text without its personal data, and how places in it correspond to those in the original. */
export interface MaskedText {
  readonly text: string;
  /** What was masked, in order, in offsets of the original. */
  readonly pieces: readonly MaskedPiece[];
  /** Where a place of the original is in the masked text; one inside personal data is at its pseudonym's `edge`. */
  toMasked(offset: number, edge: "start" | "end"): number;
  /** The reverse; one inside a pseudonym is at its original's `edge`. */
  toOriginal(offset: number, edge: "start" | "end"): number;
}

/** Segments before one that it is read in the light of. */
const CONTEXT_SEGMENTS = 2;
/** Shorter parts of a name are initials and particles. */
const LEAST_NAME_PART = 3;
/** Letters of a local part that stands for its address. */
const LEAST_LOCAL_PART = 7;
const EMAIL_AT = /@|\s(?:at|et|kwenye)\s/i;
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’ʼ-][\p{L}\p{M}\p{N}]+)*/gu;

interface KnownValue {
  readonly words: readonly string[];
  readonly pseudonym: string;
  readonly isWord?: true | undefined;
}

export class CallMasker {
  readonly #detector: PiiDetector;
  readonly #texts = new Map<string, string>();
  readonly #learnt: string[] = [];
  readonly #found = new Map<string, readonly PiiSpan[]>();
  /** Pseudonym by what it stands for, in lower case. */
  readonly #pseudonyms = new Map<string, string>();
  /** Words of names and whole other values, by their first word. */
  readonly #known = new Map<string, readonly KnownValue[]>();
  readonly #counts = new Map<PiiKind, number>();

  constructor(detector: PiiDetector) {
    this.#detector = detector;
  }

  /** Numbers what segments hold, in their order; those learnt before are passed over. */
  learn(segments: readonly TranscriptSegment[]): void {
    const fresh = segments.filter(({ id, text }) => this.#texts.get(id) !== text);
    if (fresh.length === 0) return;
    const context = this.#learnt.slice(-CONTEXT_SEGMENTS);
    const texts = fresh.map(({ text }) => text);
    const found = this.#detector.detect([...context, ...texts]).slice(context.length);
    for (const [index, segment] of fresh.entries()) {
      const spans = found[index] ?? [];
      this.#texts.set(segment.id, segment.text);
      this.#learnt.push(segment.text);
      this.#found.set(segment.text, spans);
      for (const span of spans) this.#number(span, segment.text.slice(span.startOffset, span.endOffset));
    }
    this.#learnt.splice(0, this.#learnt.length - CONTEXT_SEGMENTS);
  }

  /** @returns undefined for a segment that was not learnt. */
  segmentText(segmentId: string): MaskedText | undefined {
    const text = this.#texts.get(segmentId);
    return text === undefined ? undefined : this.mask(text);
  }

  /** Masks any text of the call; personal data that no segment held gets a pseudonym without a number. */
  mask(text: string): MaskedText {
    const spans = this.#found.get(text) ?? this.#detector.detect([text])[0] ?? [];
    const pieces = spans.map(({ kind, startOffset, endOffset }) => {
      const pseudonym = this.#pseudonyms.get(keyOf(text.slice(startOffset, endOffset))) ?? `[${kind}]`;
      return { startOffset, endOffset, pseudonym };
    });
    const known = this.#knownIn(text, pieces);
    const isWithin = (piece: MaskedPiece): boolean =>
      known.some(({ startOffset, endOffset }) => startOffset <= piece.startOffset && piece.endOffset <= endOffset);
    return maskedText(
      text,
      [...pieces.filter((piece) => !isWithin(piece)), ...known].sort((one, other) => one.startOffset - other.startOffset),
    );
  }

  #number({ kind, isWord }: PiiSpan, value: string): void {
    const key = keyOf(value);
    if (this.#pseudonyms.has(key)) return;
    const words = wordsOf(value).map(({ word }) => word);
    const parts = kind === "NAME" ? words.filter((word) => word.length >= LEAST_NAME_PART) : [];
    // "Mary Wanjiru", and later "Mary": one person, as far as anybody can tell.
    const same = parts.map((part) => this.#pseudonyms.get(part)).find((pseudonym) => pseudonym !== undefined);
    const pseudonym = same ?? `[${kind}_${this.#next(kind)}]`;
    this.#pseudonyms.set(key, pseudonym);
    this.#remember(words, { pseudonym, isWord });
    // What is before the "at" is repeated alone: "ali hamisi nne, right?"
    if (kind === "EMAIL") this.#remember(localPartOf(value), { pseudonym });
    for (const part of parts) {
      if (this.#pseudonyms.has(part)) continue;
      this.#pseudonyms.set(part, pseudonym);
      this.#remember([part], { pseudonym });
    }
  }

  #next(kind: PiiKind): number {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return count;
  }

  #remember(words: readonly string[], value: Omit<KnownValue, "words">): void {
    const [first] = words;
    if (first === undefined) return;
    const known = this.#known.get(first) ?? [];
    this.#known.set(
      first,
      [...known, { words, ...value }].sort((one, other) => other.words.length - one.words.length),
    );
  }

  #knownIn(text: string, taken: readonly MaskedPiece[]): readonly MaskedPiece[] {
    const words = wordsOf(text);
    const isCased = /\p{Lu}/u.test(text) && /\p{Ll}/u.test(text);
    const pieces: MaskedPiece[] = [];
    let at = 0;
    while (at < words.length) {
      const start = at;
      const known = this.#known.get(words[start]?.word ?? "")?.find((candidate) => candidate.words.every((word, index) => words[start + index]?.word === word));
      at += known?.words.length ?? 1;
      const startOffset = words[start]?.startOffset;
      const endOffset = words[at - 1]?.endOffset;
      if (known === undefined || startOffset === undefined || endOffset === undefined) continue;
      if (known.isWord === true && isCased && !/\p{Lu}/u.test(text.charAt(startOffset))) continue;
      // What was found here is better known only where it is the whole of it: "ali hamisi nne", of which two words are a name.
      const over = taken.filter((piece) => piece.startOffset < endOffset && startOffset < piece.endOffset);
      const isWhole = over.every((piece) => startOffset <= piece.startOffset && piece.endOffset <= endOffset);
      if (isWhole && !over.some((piece) => piece.startOffset === startOffset && piece.endOffset === endOffset)) {
        pieces.push({ startOffset, endOffset, pseudonym: known.pseudonym });
      }
    }
    return pieces;
  }
}

function maskedText(original: string, pieces: readonly MaskedPiece[]): MaskedText {
  let text = "";
  let from = 0;
  const places: { readonly original: readonly [number, number]; readonly masked: readonly [number, number] }[] = [];
  for (const { startOffset, endOffset, pseudonym } of pieces) {
    text += original.slice(from, startOffset);
    places.push({ original: [startOffset, endOffset], masked: [text.length, text.length + pseudonym.length] });
    text += pseudonym;
    from = endOffset;
  }
  text += original.slice(from);
  const convert = (side: "original" | "masked", other: "original" | "masked") => (offset: number, edge: "start" | "end") => {
    let shift = 0;
    for (const place of places) {
      const [start, end] = place[side];
      if (offset <= start) break;
      if (offset < end) return place[other][edge === "start" ? 0 : 1];
      shift = place[other][1] - end;
    }
    return offset + shift;
  };
  return { text, pieces, toMasked: convert("original", "masked"), toOriginal: convert("masked", "original") };
}

/** Empty where it is so short that it may be any word. */
function localPartOf(email: string): readonly string[] {
  const words = wordsOf(email.split(EMAIL_AT)[0] ?? "").map(({ word }) => word);
  return words.join("").length >= LEAST_LOCAL_PART && words.length < wordsOf(email).length ? words : [];
}

function keyOf(value: string): string {
  return wordsOf(value)
    .map(({ word }) => word)
    .join(" ");
}

function wordsOf(text: string): readonly { readonly word: string; readonly startOffset: number; readonly endOffset: number }[] {
  return [...text.matchAll(WORD)].map((match) => {
    const word = match[0].toLowerCase().replace(/[’ʼ]/g, "'");
    const isOwner = word.endsWith("'s");
    const length = match[0].length - (isOwner ? 2 : 0);
    return { word: isOwner ? word.slice(0, -2) : word, startOffset: match.index, endOffset: match.index + length };
  });
}

/** Words of a segment in its masked text; of a segment that is not known they are masked by themselves. */
export function maskEvidence(masker: CallMasker, evidence: Evidence): Evidence {
  const masked = masker.segmentText(evidence.segmentId);
  if (masked === undefined) return { ...evidence, text: masker.mask(evidence.text).text };
  const startOffset = masked.toMasked(evidence.startOffset, "start");
  const endOffset = masked.toMasked(evidence.endOffset, "end");
  return { ...evidence, startOffset, endOffset, text: masked.text.slice(startOffset, endOffset) };
}
