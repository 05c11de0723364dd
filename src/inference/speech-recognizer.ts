/** Contract of the `speech` task: speech of one channel, cut into utterances, to words with times. */
import type { LanguageTag } from "../core/language.js";
import type { TranscriptWord } from "../core/transcript.js";

interface PcmFormat {
  readonly sampleRateHz: number;
  readonly sampleCount: number;
  /** Sample rate of the original; telephone audio (8000) is treated differently by some engines. */
  readonly sourceSampleRateHz: number;
}

/** Mono s16le samples in a file, read in place: a recording of hours never travels between processes. */
export interface PcmFile extends PcmFormat {
  readonly path: string;
}

/** A window of a live call, which never touches a disk in clear. */
export interface PcmWindow extends PcmFormat {
  readonly samples: Int16Array;
}

export type PcmSource = PcmFile | PcmWindow;

/** Speech between two endpoints, in integer milliseconds of the source, half-open. */
export interface Utterance {
  readonly startMs: number;
  readonly endMs: number;
}

export interface SpeechInput {
  readonly audio: PcmSource;
  readonly utterances: readonly Utterance[];
  /** A tag, or `auto`: one of `allowedLanguages`. */
  readonly language: LanguageTag | "auto";
  readonly allowedLanguages: readonly LanguageTag[];
}

/** One entry per utterance that had words, in order. Times are source milliseconds. */
export interface RecognizedUtterance {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
  readonly language: LanguageTag;
  /** 0..1, or null when the engine gives none. */
  readonly score: number | null;
  readonly words: readonly TranscriptWord[];
  /** Code units at the start of the text that more sound after it would not change; absent when the engine can't tell. */
  readonly stableLength?: number;
}

export interface SpeechOutput {
  readonly language: LanguageTag;
  readonly utterances: readonly RecognizedUtterance[];
  readonly lowQuality: boolean;
}
