/**
 * Lays the legs of a call on one timeline and hands it out as interleaved frames. A leg's samples follow each other;
 * when nothing arrived for longer than the gap limit, silence stands for what is missing and is counted as a gap.
 */

export interface LegTimelineOptions {
  readonly channelCount: number;
  readonly sampleRateHz: number;
}

/** A pause in arrival up to this long is network jitter; a longer one is a gap. */
const GAP_LIMIT_MS = 500;
/** A leg that falls silent on the wire holds the others back by this much at most. */
const MAX_HOLD_MS = 5_000;

interface LegTrack {
  /** Sample position of the end of what was written. */
  position: number;
  isOpen: boolean;
  gapSamples: number;
  pending: { readonly start: number; readonly samples: Int16Array }[];
}

export class LegTimeline {
  readonly #options: LegTimelineOptions;
  readonly #tracks = new Map<number, LegTrack>();
  #flushed = 0;

  constructor(options: LegTimelineOptions) {
    this.#options = options;
  }

  /**
   * Adds samples of a channel.
   *
   * @param atMs - arrival, in milliseconds since the call began: where a leg starts, and where it goes on after a gap.
   */
  write(channel: number, samples: Int16Array, atMs: number): void {
    const { sampleRateHz } = this.#options;
    const arrivedEnd = Math.round((atMs * sampleRateHz) / 1000);
    const track = this.#tracks.get(channel) ?? this.#begin(channel, Math.max(this.#flushed, arrivedEnd - samples.length));
    const missing = arrivedEnd - samples.length - track.position;
    if (missing > (GAP_LIMIT_MS * sampleRateHz) / 1000) {
      track.gapSamples += missing;
      track.position += missing;
    }
    track.position = Math.max(track.position, this.#flushed);
    track.pending.push({ start: track.position, samples });
    track.position += samples.length;
  }

  /** The leg ended: the others do not wait for it any more. */
  end(channel: number): void {
    const track = this.#tracks.get(channel);
    if (track !== undefined) track.isOpen = false;
  }

  /** Milliseconds of gaps in a channel so far. */
  gapMs(channel: number): number {
    return Math.round(((this.#tracks.get(channel)?.gapSamples ?? 0) * 1000) / this.#options.sampleRateHz);
  }

  /** Interleaved frames that are settled: every open leg is past them, or has held them back long enough. */
  takeSettled(): Int16Array {
    const furthest = this.#furthest();
    const held = [...this.#tracks.values()].filter(({ isOpen }) => isOpen).map(({ position }) => position);
    const holdLimit = furthest - (MAX_HOLD_MS * this.#options.sampleRateHz) / 1000;
    return this.#takeUntil(Math.max(holdLimit, Math.min(furthest, ...held)));
  }

  /** All that is left. */
  takeRest(): Int16Array {
    return this.#takeUntil(this.#furthest());
  }

  #begin(channel: number, position: number): LegTrack {
    const track: LegTrack = { position, isOpen: true, gapSamples: 0, pending: [] };
    this.#tracks.set(channel, track);
    return track;
  }

  #furthest(): number {
    return Math.max(this.#flushed, ...[...this.#tracks.values()].map(({ position }) => position));
  }

  #takeUntil(end: number): Int16Array {
    const { channelCount } = this.#options;
    const frames = Math.max(0, Math.floor(end) - this.#flushed);
    const interleaved = new Int16Array(frames * channelCount);
    for (const [channel, track] of this.#tracks) {
      const kept: LegTrack["pending"] = [];
      for (const chunk of track.pending) {
        const first = chunk.start - this.#flushed;
        const count = Math.max(0, Math.min(chunk.samples.length, frames - first));
        for (let index = 0; index < count; index++) interleaved[(first + index) * channelCount + channel] = chunk.samples[index] ?? 0;
        if (count < chunk.samples.length) kept.push({ start: chunk.start + count, samples: chunk.samples.subarray(count) });
      }
      track.pending = kept;
    }
    this.#flushed += frames;
    return interleaved;
  }
}
