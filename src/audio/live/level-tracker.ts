/**
 * The level of a live channel so far, and the gain that brings its louder parts to the common level: what
 * `channel-splitter.ts` does for recordings, without the end of the call. Memory does not grow with the call.
 */
import { frameLevelDbfs, gainForLoudness, limitSample } from "../level.js";

const LOWEST_DBFS = -120;
const BINS_PER_DB = 2;

/** Feed every sample once; ask for the gain when a window is cut. */
export class LevelTracker {
  readonly #counts = new Uint32Array(-LOWEST_DBFS * BINS_PER_DB + 1);
  #blockCount = 0;

  /** @param block - about 100 ms. */
  push(block: Int16Array): void {
    const bin = Math.round((Math.max(LOWEST_DBFS, Math.min(0, frameLevelDbfs(block))) - LOWEST_DBFS) * BINS_PER_DB);
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#blockCount++;
  }

  /** A copy of `samples` at the common level. */
  normalize(samples: Int16Array): Int16Array {
    const gain = 10 ** (gainForLoudness(this.#loudnessDbfs()) / 20);
    return samples.map((sample) => limitSample(sample * gain));
  }

  /** The 95th percentile of the blocks so far. */
  #loudnessDbfs(): number {
    let above = this.#blockCount * 0.05;
    for (let bin = this.#counts.length - 1; bin >= 0; bin--) {
      above -= this.#counts[bin] ?? 0;
      if (above < 0) return bin / BINS_PER_DB + LOWEST_DBFS;
    }
    return LOWEST_DBFS;
  }
}
