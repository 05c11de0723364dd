/**
 * Cuts a transcript into overlapping chunks of bounded length for engines that read limited text, once and in one place,
 * and maps a span of a chunk back to the segments it came from. Segments are joined by a line break, which belongs to no
 * segment. Offsets are UTF-16 code units, half-open.
 */
import type { TranscriptSegment } from "../core/transcript.js";

export interface ChunkOptions {
  /** At least 1. */
  readonly maxCharacters: number;
  /** 0 or more, less than `maxCharacters`. The overlap begins at a word, so it may be shorter. */
  readonly overlapCharacters: number;
}

/** `chunk.text.slice(chunkStart, chunkStart + length)` equals the segment's text from `segmentStart`. */
export interface ChunkSpan {
  readonly segmentId: string;
  readonly chunkStart: number;
  readonly segmentStart: number;
  readonly length: number;
}

export interface TextChunk {
  readonly text: string;
  readonly spans: readonly ChunkSpan[];
}

export interface SegmentSpan {
  readonly segmentId: string;
  readonly startOffset: number;
  readonly endOffset: number;
}

interface PlacedSegment {
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Chunks segments in order; every character of every segment is in at least one chunk. A cut falls between words unless
 * one word is longer than a chunk.
 *
 * @throws RangeError when an option is out of its range.
 */
export function chunkSegments(segments: readonly TranscriptSegment[], options: ChunkOptions): readonly TextChunk[] {
  const { maxCharacters, overlapCharacters } = options;
  if (!Number.isInteger(maxCharacters) || maxCharacters < 1) throw new RangeError("maxCharacters must be 1 or more");
  if (!Number.isInteger(overlapCharacters) || overlapCharacters < 0 || overlapCharacters >= maxCharacters) {
    throw new RangeError("overlapCharacters must be 0 or more and less than maxCharacters");
  }
  const placed: PlacedSegment[] = [];
  let length = 0;
  for (const { id, text } of segments) {
    if (text.length === 0) continue;
    placed.push({ id, start: length, end: length + text.length });
    length += text.length + 1;
  }
  const whole = segments.flatMap(({ text }) => (text.length === 0 ? [] : [text])).join("\n");
  const chunks: TextChunk[] = [];
  let start = 0;
  let firstSegment = 0;
  while (start < whole.length) {
    const end = chunkEnd(whole, start, maxCharacters);
    while ((placed[firstSegment]?.end ?? Number.POSITIVE_INFINITY) <= start) firstSegment += 1;
    chunks.push({ text: whole.slice(start, end), spans: spansOf(placed, { start, end, firstSegment }) });
    if (end >= whole.length) break;
    start = nextStart(whole, { start, end, overlapCharacters });
  }
  return chunks;
}

/** The segment spans under `[start, end)` of a chunk, in order; empty when it covers only joins. */
export function toSegmentSpans(chunk: TextChunk, start: number, end: number): readonly SegmentSpan[] {
  return chunk.spans.flatMap(({ segmentId, chunkStart, segmentStart, length }) => {
    const from = Math.max(start, chunkStart);
    const to = Math.min(end, chunkStart + length);
    if (from >= to) return [];
    const shift = segmentStart - chunkStart;
    return [{ segmentId, startOffset: from + shift, endOffset: to + shift }];
  });
}

/** Halves a text, between words where it can, until each part fits; a single character always does. */
export function splitToFit(text: string, fits: (part: string) => boolean): readonly string[] {
  if (text.length < 2 || fits(text)) return [text];
  const at = blankNearest(text, Math.floor(text.length / 2));
  return [text.slice(0, at), text.slice(at).trim()].filter((half) => half !== "").flatMap((half) => splitToFit(half, fits));
}

/** A place where one word ends, not at either end of the text; `middle` when it is one word. */
function blankNearest(text: string, middle: number): number {
  const before = Math.max(text.lastIndexOf(" ", middle), text.lastIndexOf("\n", middle));
  const after = middle + text.slice(middle).search(/\s/u);
  const places = [before, after >= middle ? after : -1].filter((place) => place > 0 && text.slice(place).trim() !== "" && text.slice(0, place).trim() !== "");
  return places.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle))[0] ?? middle;
}

function chunkEnd(whole: string, start: number, maxCharacters: number): number {
  const limit = start + maxCharacters;
  if (limit >= whole.length) return whole.length;
  for (let at = limit; at > start; at -= 1) {
    if (/\s/.test(whole.charAt(at)) || /\s/.test(whole.charAt(at - 1))) return at;
  }
  return limit > start + 1 && splitsPair(whole, limit) ? limit - 1 : limit;
}

function nextStart(
  whole: string,
  { start, end, overlapCharacters }: { readonly start: number; readonly end: number; readonly overlapCharacters: number },
): number {
  for (let at = Math.max(start + 1, end - overlapCharacters); at < end; at += 1) {
    if (/\s/.test(whole.charAt(at - 1)) && !/\s/.test(whole.charAt(at))) return at;
  }
  return end;
}

/** True when a cut would part the two halves of one character outside the basic plane. */
function splitsPair(whole: string, at: number): boolean {
  return /[\uD800-\uDBFF]/.test(whole.charAt(at - 1)) && /[\uDC00-\uDFFF]/.test(whole.charAt(at));
}

function spansOf(
  placed: readonly PlacedSegment[],
  { start, end, firstSegment }: { readonly start: number; readonly end: number; readonly firstSegment: number },
): readonly ChunkSpan[] {
  const spans: ChunkSpan[] = [];
  for (let index = firstSegment; index < placed.length; index += 1) {
    const segment = placed[index];
    if (segment === undefined || segment.start >= end) break;
    const from = Math.max(start, segment.start);
    const to = Math.min(end, segment.end);
    if (from >= to) continue;
    spans.push({
      segmentId: segment.id,
      chunkStart: from - start,
      segmentStart: from - segment.start,
      length: to - from,
    });
  }
  return spans;
}
