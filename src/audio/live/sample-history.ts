/** The last seconds of a channel, by position: what recognition windows are cut from. Forgets what nobody needs any more. */

const LEAST_CAPACITY = 16_384;

/** Positions count samples since the channel began. */
export class SampleHistory {
  #samples = new Int16Array(LEAST_CAPACITY);
  /** Position of the first sample kept. */
  #start = 0;
  #length = 0;

  append(samples: Int16Array): void {
    if (this.#length + samples.length > this.#samples.length) this.#resize(Math.max(this.#length + samples.length, this.#samples.length * 2));
    this.#samples.set(samples, this.#length);
    this.#length += samples.length;
  }

  /** Position after the last sample. */
  get end(): number {
    return this.#start + this.#length;
  }

  /** `[from, to)`, cut to what is kept; valid until the next `append` or `forgetBefore`. */
  view(from: number, to: number): Int16Array {
    const first = Math.max(0, from - this.#start);
    return this.#samples.subarray(Math.min(first, this.#length), Math.max(first, Math.min(this.#length, to - this.#start)));
  }

  /** Nothing before `position` is asked for any more. */
  forgetBefore(position: number): void {
    const count = Math.min(this.#length, position - this.#start);
    // Moving the rest costs a copy: worth it when as much goes as stays.
    if (count <= this.#length / 2 || count <= 0) return;
    this.#samples.copyWithin(0, count, this.#length);
    this.#start += count;
    this.#length -= count;
    // One long utterance must not hold its room for the rest of the call, in every call there is.
    if (this.#length < this.#samples.length / 4) this.#resize(Math.max(LEAST_CAPACITY, this.#samples.length / 2));
  }

  /** Samples it has room for. */
  get capacity(): number {
    return this.#samples.length;
  }

  #resize(capacity: number): void {
    if (capacity === this.#samples.length) return;
    const resized = new Int16Array(capacity);
    resized.set(this.#samples.subarray(0, this.#length));
    this.#samples = resized;
  }
}
