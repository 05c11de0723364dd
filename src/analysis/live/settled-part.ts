/**
 * What of a recognizer's answer is settled. Where speech goes on past the window, its last word may be half a word: it
 * is left for the next window, if the recognizer says when words are said. Pure.
 */
import type { Channel, TranscriptSegment, TranscriptWord } from "../../core/transcript.js";
import type { RecognizedUtterance } from "../../inference/speech-recognizer.js";

/** A word that ends this close to the window's end may be cut. */
const EDGE_MS = 120;

export interface SettledPart {
  readonly text: string;
  readonly words: readonly TranscriptWord[];
  /** In the window's time; null: all of it. */
  readonly untilMs: number | null;
}

/** @param windowMs - length of the window the answer is of, in which word times count from 0. */
export function settledPart(
  heard: RecognizedUtterance,
  { windowMs, isSpeechGoingOn }: { readonly windowMs: number; readonly isSpeechGoingOn: boolean },
): SettledPart {
  const { text, words } = heard;
  const whole = { text, words, untilMs: null };
  const last = words.at(-1);
  const before = words.at(-2);
  if (!isSpeechGoingOn || last === undefined || before === undefined || last.endMs < windowMs - EDGE_MS) return whole;
  const cutOffset = text.lastIndexOf(last.text);
  if (cutOffset <= 0) return whole;
  return { text: text.slice(0, cutOffset).trimEnd(), words: words.slice(0, -1), untilMs: Math.round((before.endMs + last.startMs) / 2) };
}

export interface SegmentPlace {
  readonly segmentId: string;
  readonly channel: Channel;
  /** Call time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly heard: RecognizedUtterance | undefined;
  /** From the window's time to call time. */
  readonly toCall: (ms: number) => number;
  readonly language: string | undefined;
}

/** The segment on the call's timeline. */
export function placeSegment({ segmentId, channel, startMs, endMs, text, heard, toCall, language }: SegmentPlace): TranscriptSegment {
  const words = heard?.words.map((word) => ({ ...word, startMs: toCall(word.startMs), endMs: toCall(word.endMs) })) ?? [];
  return {
    ...{ id: segmentId, channel, startMs, endMs, text },
    language: heard?.language ?? language ?? "und",
    score: heard?.score ?? null,
    ...(words.length === 0 ? {} : { words }),
  };
}
