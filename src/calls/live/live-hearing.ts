/** What was heard of a call that runs: its segments, its speech, and what a person should know of both. */

import type { LiveOutcome } from "../../analysis/live/recognition-window.js";
import { SettledSegments } from "../../analysis/live/settled-segments.js";
import { SPEECH_BY_LOUDNESS } from "../../analysis/steps/detect-speech.js";
import type { NewCallEvent } from "../../core/call-event.js";
import type { Channel, TranscriptSegment } from "../../core/transcript.js";
import type { LiveTranscript } from "./live-stages.js";

export interface LiveHearingOptions {
  readonly taskId: () => string;
  readonly emit: (event: NewCallEvent) => void;
  /** Speech in progress. */
  readonly onLook: (segment: TranscriptSegment) => void;
  readonly onFinal: (segment: TranscriptSegment) => void;
}

const LOW_QUALITY = "low_quality: the text is by an engine known to make many errors; read it as a hint.";

export class LiveHearing {
  readonly #options: LiveHearingOptions;
  readonly #segments = new SettledSegments();
  readonly #speech = new Map<Channel, { startMs: number; endMs: number; isTranscribed: boolean }[]>();
  readonly #warnings = new Set<string>();

  constructor(options: LiveHearingOptions) {
    this.#options = options;
  }

  /** Final ones, in order of settling; old ones without their words. */
  get segments(): readonly TranscriptSegment[] {
    return this.#segments.list;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** @param text - a fixed sentence of ours. */
  warn(text: string): void {
    this.#warnings.add(text);
  }

  take(channel: Channel, outcome: LiveOutcome): void {
    const taskId = this.#options.taskId();
    if (outcome.kind === "interim") {
      const { id: segmentId, startMs, endMs, text, language } = outcome.segment;
      const { stableLength } = outcome;
      this.#options.emit({ type: "segment.interim", payload: { taskId, segmentId, channel, startMs, endMs, text, language, stableLength } });
      this.#options.onLook(outcome.segment);
      return;
    }
    if (outcome.kind === "failed") {
      const { segmentId, startMs, endMs, errorCode } = outcome;
      if (endMs > startMs) this.#noteSpeech(channel, { startMs, endMs, isTranscribed: false });
      if (errorCode !== undefined) this.warn(`Some speech could not be transcribed (${errorCode}).`);
      const nothing = { text: "", language: "und", stableLength: 0 };
      this.#options.emit({ type: "segment.interim", payload: { taskId, segmentId, channel, startMs, endMs, ...nothing } });
      return;
    }
    const { segment } = outcome;
    if (outcome.lowQuality) this.warn(LOW_QUALITY);
    this.#segments.add(segment);
    this.#noteSpeech(channel, { startMs: segment.startMs, endMs: segment.endMs, isTranscribed: true });
    this.#options.emit({ type: "segment.final", payload: { taskId, pass: "live", segment } });
    this.#options.onFinal(segment);
  }

  transcript(): LiveTranscript {
    return {
      segments: this.#segments.whole(),
      speech: this.#speech,
      hasLowQuality: this.#warnings.has(LOW_QUALITY),
      isSpeechByLoudness: this.#warnings.has(SPEECH_BY_LOUDNESS),
    };
  }

  #noteSpeech(channel: Channel, span: { readonly startMs: number; readonly endMs: number; readonly isTranscribed: boolean }): void {
    const spans = this.#speech.get(channel) ?? [];
    spans.push({ ...span });
    this.#speech.set(channel, spans);
  }
}
