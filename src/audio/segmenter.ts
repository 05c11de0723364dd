/**
 * The one segmenter: frame-wise speech scores in, utterances out. Recordings and live legs use it with the same rules.
 *
 * An utterance is speech between endpoints: it opens at the first frame over the speech threshold, closes after a
 * pause, and is cut at its quietest frame when it grows too long. Nothing is thrown away for being short: a child's
 * one-word answer is an utterance.
 */

export interface SegmenterOptions {
  readonly frameMs: number;
  /** A frame at or over this opens an utterance, 0..1. */
  readonly speechThreshold: number;
  /** A frame under this counts towards the closing pause, 0..1; lower than the speech threshold. */
  readonly silenceThreshold: number;
  /** Pause that closes an utterance. */
  readonly closingPauseMs: number;
  /** Speech shorter than this is a click, not an utterance. */
  readonly minSpeechMs: number;
  readonly maxUtteranceMs: number;
}

export const DEFAULT_SEGMENTER_OPTIONS: Omit<SegmenterOptions, "frameMs"> = {
  speechThreshold: 0.5,
  silenceThreshold: 0.35,
  closingPauseMs: 400,
  minSpeechMs: 90,
  maxUtteranceMs: 15_000,
};

/** Half-open, in integer milliseconds of audio time. */
export interface SpeechSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** Feed frames in order; take what `push` and `flush` return. */
export class Segmenter {
  readonly #options: SegmenterOptions;
  #frame = 0;
  /** Scores since the open utterance's first frame; empty when none is open. */
  #scores: number[] = [];
  #startFrame = 0;
  #lastSpeechFrame = 0;
  /** The open utterance is the rest of one that was cut: it is kept however short. */
  #isRest = false;
  /** First frame after the last cut. */
  #cutFrame = -1;

  constructor(options: SegmenterOptions) {
    this.#options = options;
  }

  /** @returns the utterance this frame closed, if any. */
  push(speechScore: number): SpeechSpan | undefined {
    const { speechThreshold, silenceThreshold } = this.#options;
    const frame = this.#frame++;
    if (this.#scores.length === 0) {
      if (speechScore < speechThreshold) return undefined;
      this.#startFrame = frame;
      this.#lastSpeechFrame = frame;
      this.#isRest = frame === this.#cutFrame;
    }
    this.#scores.push(speechScore);
    if (speechScore >= silenceThreshold) this.#lastSpeechFrame = frame;
    const silenceMs = (frame - this.#lastSpeechFrame) * this.#options.frameMs;
    if (silenceMs >= this.#options.closingPauseMs) return this.#close();
    const openMs = (frame + 1 - this.#startFrame) * this.#options.frameMs;
    return openMs >= this.#options.maxUtteranceMs ? this.#cut() : undefined;
  }

  /** The audio ends here. */
  flush(): SpeechSpan | undefined {
    return this.#scores.length === 0 ? undefined : this.#close();
  }

  /** Whether an utterance is open, for interim text. */
  get openSinceMs(): number | null {
    return this.#scores.length === 0 ? null : this.#startFrame * this.#options.frameMs;
  }

  /** End of the open utterance's last frame with speech; null when none is open. */
  get lastSpeechEndMs(): number | null {
    return this.#scores.length === 0 ? null : (this.#lastSpeechFrame + 1) * this.#options.frameMs;
  }

  /** End of the last frame pushed. */
  get frameEndMs(): number {
    return this.#frame * this.#options.frameMs;
  }

  /** The moment in `[fromMs, toMs)` at which the open utterance is quietest: where a cut hurts least. */
  quietestMs(fromMs: number, toMs: number): number {
    const { frameMs } = this.#options;
    let quietest = Math.max(this.#startFrame, Math.floor(toMs / frameMs) - 1);
    for (let frame = quietest; frame >= Math.max(this.#startFrame, Math.ceil(fromMs / frameMs)); frame--) {
      if ((this.#scores[frame - this.#startFrame] ?? 1) < (this.#scores[quietest - this.#startFrame] ?? 1)) quietest = frame;
    }
    return (quietest + 1) * frameMs;
  }

  #close(): SpeechSpan | undefined {
    const span = this.#span(this.#startFrame, this.#lastSpeechFrame + 1);
    this.#scores = [];
    const isClick = !this.#isRest && span.endMs - span.startMs < this.#options.minSpeechMs;
    return isClick ? undefined : span;
  }

  /** Ends the utterance at the quietest frame of its last third; what follows stays open. */
  #cut(): SpeechSpan {
    const from = Math.floor((this.#scores.length * 2) / 3);
    let quietest = this.#scores.length - 1;
    for (let index = this.#scores.length - 1; index >= from; index--) {
      if ((this.#scores[index] ?? 1) < (this.#scores[quietest] ?? 1)) quietest = index;
    }
    const endFrame = this.#startFrame + quietest + 1;
    const span = this.#span(this.#startFrame, endFrame);
    this.#scores = this.#scores.slice(quietest + 1);
    this.#startFrame = endFrame;
    this.#lastSpeechFrame = Math.max(this.#lastSpeechFrame, endFrame);
    this.#isRest = true;
    this.#cutFrame = endFrame;
    return span;
  }

  #span(startFrame: number, endFrame: number): SpeechSpan {
    return { startMs: Math.round(startFrame * this.#options.frameMs), endMs: Math.round(endFrame * this.#options.frameMs) };
  }
}

/** Segments a whole recording's scores. */
export function segmentSpeech(speechScores: Float32Array, options: SegmenterOptions): readonly SpeechSpan[] {
  const segmenter = new Segmenter(options);
  const spans: SpeechSpan[] = [];
  for (const score of speechScores) {
    const span = segmenter.push(score);
    if (span !== undefined) spans.push(span);
  }
  const last = segmenter.flush();
  return last === undefined ? spans : [...spans, last];
}
