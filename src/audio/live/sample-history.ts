/** The last seconds of a channel, by position: what recognition windows are cut from. Forgets what nobody needs any more. */

/** Positions count samples since the channel began. */
export class SampleHistory {
  #samples = new Int16Array(16_384);
  /** Position of the first sample kept. */
  #start = 0;
  #length = 0;

  append(samples: Int16Array): void {
    if (this.#length + samples.length > this.#samples.length) this.#grow(this.#length + samples.length);
    this.#samples.set(samples, this.#length);
    this.#length += samples.length;
  }

  /** Position after the last sample. */
  get end(): number {
    return this.#start + this.#length;
  }

  /** A copy of `[from, to)`, cut to what is kept. */
  slice(from: number, to: number): Int16Array {
    const first = Math.max(0, from - this.#start);
    return this.#samples.slice(Math.min(first, this.#length), Math.max(first, Math.min(this.#length, to - this.#start)));
  }

  /** Nothing before `position` is asked for any more. */
  forgetBefore(position: number): void {
    const count = Math.min(this.#length, position - this.#start);
    // Moving the rest costs a copy: worth it when as much goes as stays.
    if (count <= this.#length / 2 || count <= 0) return;
    this.#samples.copyWithin(0, count, this.#length);
    this.#start += count;
    this.#length -= count;
  }

  #grow(needed: number): void {
    const larger = new Int16Array(Math.max(needed, this.#samples.length * 2));
    larger.set(this.#samples.subarray(0, this.#length));
    this.#samples = larger;
  }
}
