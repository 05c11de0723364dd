/** Cuts a stream of samples into frames of one size, whatever the pieces it comes in. */

export class Framer {
  readonly #frameSamples: number;
  readonly #onFrame: (frame: Int16Array) => void;
  #frame: Int16Array;
  #filled = 0;

  /** @param onFrame - gets each whole frame, `Int16Array[frameSamples]`, its own to keep. */
  constructor(frameSamples: number, onFrame: (frame: Int16Array) => void) {
    this.#frameSamples = frameSamples;
    this.#onFrame = onFrame;
    this.#frame = new Int16Array(frameSamples);
  }

  push(samples: Int16Array): void {
    for (let offset = 0; offset < samples.length; ) {
      const count = Math.min(samples.length - offset, this.#frameSamples - this.#filled);
      this.#frame.set(samples.subarray(offset, offset + count), this.#filled);
      this.#filled += count;
      offset += count;
      if (this.#filled === this.#frameSamples) this.#emit();
    }
  }

  /** Fills what is left up with silence and gives it out, if there is any. */
  flush(): void {
    if (this.#filled > 0) this.#emit();
  }

  #emit(): void {
    const frame = this.#frame;
    this.#frame = new Int16Array(this.#frameSamples);
    this.#filled = 0;
    this.#onFrame(frame);
  }
}
