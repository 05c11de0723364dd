/** The first seconds of a call of one leg, kept so that the leg can still be moved: the exchange may tell late whose it is. */
import type { Channel } from "../../core/transcript.js";

/** A piece as it came; `arrivedAtMs` counts from the beginning of its call. */
export interface ReceivedAudio {
  readonly channel: Channel;
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
  readonly arrivedAtMs: number;
}

/** Of audio; whoever tells later than this is told that it is too late. */
const KEPT_MS = 30_000;

export class EarlyAudio {
  #pieces: ReceivedAudio[] | undefined = [];
  #keptMs = 0;

  keep(piece: ReceivedAudio): void {
    if (this.#pieces === undefined) return;
    this.#pieces.push(piece);
    this.#keptMs += (piece.samples.length * 1000) / piece.sampleRateHz;
    if (this.#keptMs > KEPT_MS) this.drop();
  }

  /** It is known whose leg it is, or too late. */
  drop(): void {
    this.#pieces = undefined;
  }

  /** Everything since the beginning; undefined when that is not there any more. */
  take(): readonly ReceivedAudio[] | undefined {
    const pieces = this.#pieces;
    this.#pieces = undefined;
    return pieces;
  }
}
