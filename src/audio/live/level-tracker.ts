/**
 * The level of a live channel so far, and the gain that brings its louder parts to the common level: what
 * `channel-splitter.ts` does for recordings, without the end of the call. Memory does not grow with the call.
 */
import { frameLevelDbfs, gainForLoudness, limitSample } from "../level.js";

const LOWEST_DBFS = -120;
const BINS_PER_DB = 2;

/** Blocks whose level is remembered one by one: a window that is cut later than it could be still gets the level of its own time. */
const RECENT_BLOCKS = 600;

/** Feed every sample once, in blocks; ask for a window's level with the number of blocks up to its end. */
export class LevelTracker {
  readonly #counts = new Uint32Array(-LOWEST_DBFS * BINS_PER_DB + 1);
  readonly #recentBins = new Uint16Array(RECENT_BLOCKS);
  #blockCount = 0;

  /** @param block - about 100 ms. */
  push(block: Int16Array): void {
    const bin = Math.round((Math.max(LOWEST_DBFS, Math.min(0, frameLevelDbfs(block))) - LOWEST_DBFS) * BINS_PER_DB);
    this.#count(bin, 1);
    this.#recentBins[this.#blockCount++ % RECENT_BLOCKS] = bin;
  }

  /** A copy of `samples` at the common level, judged by the first `blockCount` blocks: the same whenever it is asked for. */
  normalize(samples: Int16Array, blockCount: number): Int16Array {
    const gain = 10 ** (gainForLoudness(this.#loudnessDbfs(blockCount)) / 20);
    const normalized = new Int16Array(samples.length);
    for (let index = 0; index < samples.length; index++) normalized[index] = limitSample((samples[index] ?? 0) * gain);
    return normalized;
  }

  /** The 95th percentile of the blocks. */
  #loudnessDbfs(blockCount: number): number {
    const later = Array.from(
      { length: Math.max(0, Math.min(RECENT_BLOCKS, this.#blockCount - blockCount)) },
      (_, index) => this.#recentBins[(this.#blockCount - 1 - index) % RECENT_BLOCKS] ?? 0,
    );
    for (const bin of later) this.#count(bin, -1);
    const loudness = this.#percentileDbfs((this.#blockCount - later.length) * 0.05);
    for (const bin of later) this.#count(bin, 1);
    return loudness;
  }

  #percentileDbfs(above: number): number {
    let left = above;
    for (let bin = this.#counts.length - 1; bin >= 0; bin--) {
      left -= this.#counts[bin] ?? 0;
      if (left < 0) return bin / BINS_PER_DB + LOWEST_DBFS;
    }
    return LOWEST_DBFS;
  }

  #count(bin: number, change: number): void {
    this.#counts[bin] = (this.#counts[bin] ?? 0) + change;
  }
}
