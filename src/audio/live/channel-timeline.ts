/**
 * One channel of a live call on the call's timeline. Two clocks: audio time counts the samples that are analysed and
 * nothing else, so that it does not depend on how the network cut them; call time adds where the leg began, what was
 * paused, and the gaps in which nothing arrived.
 */

/** A pause in arrival up to this long is network jitter; a longer one is a gap. */
const GAP_LIMIT_MS = 500;

/** Half-open, in milliseconds of call time. */
export interface TimeSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** Where audio that was just received lies. */
export interface ReceivedSpan extends TimeSpan {
  /** What was missing before it; 0 when nothing was. */
  readonly gapMs: number;
}

interface Anchor {
  readonly audioMs: number;
  readonly callMs: number;
}

/** Times in are monotonic milliseconds since the call began; times out are not rounded. */
export class ChannelTimeline {
  /** Call time from which on audio time runs beside it, after each break. */
  readonly #anchors: Anchor[] = [];
  #audioMs = 0;
  #callMs = 0;
  #receivedMs = 0;
  #pausedMs = 0;
  #gapMs = 0;
  #hasBegun = false;
  #isBroken = true;

  /**
   * Audio came: `durationMs` of it, complete at `arrivedAtMs`. Paused audio is counted and not analysed.
   *
   * @returns where it lies in the call.
   */
  receive(durationMs: number, arrivedAtMs: number, options: { readonly isPaused: boolean }): ReceivedSpan {
    const latestStartMs = arrivedAtMs - durationMs;
    const missingMs = this.#hasBegun ? latestStartMs - this.#callMs : 0;
    const gapMs = missingMs > GAP_LIMIT_MS ? missingMs : 0;
    if (!this.#hasBegun) this.#callMs = Math.max(0, latestStartMs);
    this.#hasBegun = true;
    this.#gapMs += gapMs;
    this.#callMs += gapMs;
    if (gapMs > 0) this.#isBroken = true;
    const startMs = this.#callMs;
    this.#callMs += durationMs;
    this.#receivedMs += durationMs;
    if (options.isPaused) {
      this.#pausedMs += durationMs;
      this.#isBroken = true;
    } else {
      if (this.#isBroken) this.#anchors.push({ audioMs: this.#audioMs, callMs: startMs });
      this.#isBroken = false;
      this.#audioMs += durationMs;
    }
    return { startMs, endMs: this.#callMs, gapMs };
  }

  /** Silence that was never received fills up the last frame before a break: audio time runs on, call time does not. */
  pad(durationMs: number): void {
    this.#audioMs += durationMs;
    this.#isBroken = true;
  }

  /** Call time of a moment of audio time; at a break, the moment after it. */
  toCallMs(audioMs: number): number {
    return this.#along(audioMs, (anchor) => anchor.audioMs <= audioMs);
  }

  /** The same for the end of a span: at a break, the moment before it. */
  toCallEndMs(audioMs: number): number {
    return this.#along(audioMs, (anchor) => anchor.audioMs < audioMs);
  }

  get audioMs(): number {
    return this.#audioMs;
  }

  /** End of what was received, in call time. */
  get callMs(): number {
    return this.#callMs;
  }

  get receivedMs(): number {
    return this.#receivedMs;
  }

  get pausedMs(): number {
    return this.#pausedMs;
  }

  get gapMs(): number {
    return this.#gapMs;
  }

  #along(audioMs: number, isBefore: (anchor: Anchor) => boolean): number {
    for (let index = this.#anchors.length - 1; index >= 0; index--) {
      const anchor = this.#anchors[index];
      if (anchor !== undefined && (isBefore(anchor) || index === 0)) return anchor.callMs + audioMs - anchor.audioMs;
    }
    return audioMs;
  }
}
