/**
 * The settled segments of a call that runs. The newest are whole; the words of older ones, which nobody looks at before the call
 * ends, are kept as one string each: a third of the memory, in a call of an hour and in a hundred calls.
 */
import type { TranscriptSegment, TranscriptWord } from "../../core/transcript.js";

/** More than signs of danger are looked for in. */
const WHOLE_SEGMENTS = 8;

type PackedWord = readonly [text: string, startMs: number, endMs: number, score: number | null];

export class SettledSegments {
  readonly #segments: TranscriptSegment[] = [];
  /** By segment id. */
  readonly #packed = new Map<string, string>();

  /** In order of settling; old ones without their words. */
  get list(): readonly TranscriptSegment[] {
    return this.#segments;
  }

  add(segment: TranscriptSegment): void {
    this.#segments.push(segment);
    const index = this.#segments.length - 1 - WHOLE_SEGMENTS;
    const old = this.#segments[index];
    if (old?.words === undefined) return;
    const { words, ...rest } = old;
    this.#packed.set(old.id, JSON.stringify(words.map(({ text, startMs, endMs, score }): PackedWord => [text, startMs, endMs, score])));
    this.#segments[index] = rest;
  }

  /** All of them, with all their words. */
  whole(): readonly TranscriptSegment[] {
    return this.#segments.map((segment) => {
      const packed = this.#packed.get(segment.id);
      return packed === undefined ? segment : { ...segment, words: unpack(packed) };
    });
  }
}

function unpack(packed: string): readonly TranscriptWord[] {
  return (JSON.parse(packed) as readonly PackedWord[]).map(([text, startMs, endMs, score]) => ({ text, startMs, endMs, score }));
}
