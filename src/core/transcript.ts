/**
 * What was said on a call: segments in time order, each on one channel.
 *
 * A `TranscriptSegment` is recognizer output with times; it is not an utterance (speech between two endpoints, no
 * text yet) and not a window (the samples handed to a recognizer).
 */
import type { LanguageTag } from "./language.js";

/** Who is heard: `mixed` when both parties share one channel. */
export const CHANNELS = ["caller", "agent", "mixed"] as const;
export type Channel = (typeof CHANNELS)[number];

/** One recognized word. Times are integer milliseconds of call audio time, half-open. */
export interface TranscriptWord {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0..1, or null when the engine gives none; never made up. */
  readonly score: number | null;
}

export const TEXT_LOOP = "loop";
export const TEXT_PHANTOM = "phantom";
/** Why a text may be the recognizer's own: the same words over and over, or a sentence models write when they hear noise. */
export const SUSPECT_KINDS = [TEXT_LOOP, TEXT_PHANTOM] as const;
export type SuspectKind = (typeof SUSPECT_KINDS)[number];

/** A run of recognized speech. Offsets into `text` elsewhere are UTF-16 code units, half-open. */
export interface TranscriptSegment {
  readonly id: string;
  readonly channel: Channel;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly language: LanguageTag;
  /** 0..1, or null when the engine gives none. */
  readonly score: number | null;
  readonly words?: readonly TranscriptWord[];
  /** Absent: nothing speaks against it. */
  readonly suspect?: SuspectKind;
}

/** A whole transcript, segments sorted by `startMs`, ties by channel. */
export interface Transcript {
  readonly language: LanguageTag;
  readonly segments: readonly TranscriptSegment[];
  /** True when the engine is known to be poor on this kind of audio. */
  readonly lowQuality: boolean;
}

/** The transcript as one text: a line per segment, without channel marks. */
export function transcriptText(segments: readonly TranscriptSegment[]): string {
  return segments.map((segment) => segment.text).join("\n");
}
