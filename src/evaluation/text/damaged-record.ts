/**
 * A labelled record as a recognizer might have heard it: without capitals and punctuation, or with words misheard, lost and
 * added. What was said stays the truth: a mark keeps the words that were said and moves with them.
 */
import type { TranscriptSegment } from "../../core/transcript.js";
import type { LabelledRecord, SegmentMark } from "../labelled-record.js";
import { SeededRandom } from "./seeded-random.js";

export interface Damage {
  /** Lower case, no punctuation. */
  readonly isBare: boolean;
  /** 0..1: the share of words that are wrong. */
  readonly wordErrorRate: number;
}

interface Piece {
  readonly text: string;
  readonly mark: SegmentMark | undefined;
}

const DELETED = 0.2;
const INSERTED = 0.15;
const SEED = 20_261;

/** The same every time for the same records. */
export function damageRecords(records: readonly LabelledRecord[], damage: Damage): readonly LabelledRecord[] {
  const random = new SeededRandom(SEED);
  const vocabulary = [...new Set(records.flatMap(({ segments }) => segments.flatMap(({ text }) => text.toLowerCase().match(/[\p{L}']+/gu) ?? [])))];
  return records.map((record) => {
    const segments: TranscriptSegment[] = [];
    const marks: SegmentMark[] = [];
    for (const segment of record.segments) {
      let text = "";
      for (const piece of piecesOf(segment, record.marks)) {
        const words = damageWords(piece.text, damage, { random, vocabulary });
        if (piece.mark !== undefined && words.trim() !== "") marks.push({ ...piece.mark, startOffset: text.length, endOffset: text.length + words.length });
        text += words;
      }
      segments.push({ ...segment, text });
    }
    return { ...record, segments, marks };
  });
}

function piecesOf(segment: TranscriptSegment, marks: readonly SegmentMark[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let readTo = 0;
  for (const mark of marks.filter(({ segmentId }) => segmentId === segment.id).sort((one, other) => one.startOffset - other.startOffset)) {
    if (mark.startOffset < readTo) continue;
    pieces.push({ text: segment.text.slice(readTo, mark.startOffset), mark: undefined }, { text: segment.text.slice(mark.startOffset, mark.endOffset), mark });
    readTo = mark.endOffset;
  }
  return [...pieces, { text: segment.text.slice(readTo), mark: undefined }];
}

interface Source {
  readonly random: SeededRandom;
  readonly vocabulary: readonly string[];
}

/** Blanks at the ends stay, so that pieces still stand apart. */
function damageWords(text: string, { isBare, wordErrorRate }: Damage, source: Source): string {
  const bare = isBare
    ? text
        .toLowerCase()
        .replace(/(?<=\p{L})['’](?=\p{L})|[^\p{L}\p{N}\s]/gu, (found) => (/['’]/.test(found) ? "'" : " "))
        .replace(/\s+/g, " ")
    : text;
  if (wordErrorRate <= 0) return bare;
  return bare
    .split(/(\s+)/)
    .map((word) => (/\S/.test(word) && source.random.next() < wordErrorRate ? misheard(word, source) : word))
    .join("")
    .replace(/ {2,}/g, " ");
}

function misheard(word: string, { random, vocabulary }: Source): string {
  const other = vocabulary[random.below(vocabulary.length)] ?? "";
  const chance = random.next();
  if (chance < DELETED) return "";
  if (chance < DELETED + INSERTED) return `${word} ${other}`;
  // Half of what is misheard sounds like what was said: a letter or two differ.
  return random.next() < 0.5 ? other : changedLetters(word, random);
}

const LETTERS = "aeioubdgkmnprstw";

function changedLetters(word: string, random: SeededRandom): string {
  const at = random.below(word.length);
  return `${word.slice(0, at)}${LETTERS[random.below(LETTERS.length)]}${word.slice(at + 1)}`;
}
