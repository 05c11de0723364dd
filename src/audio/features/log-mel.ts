/**
 * Log-mel features as Whisper was trained on: 16 kHz, window 400 (Hann), hop 160, Slaney mel filters, log10 floored at
 * eight below the loudest, scaled to about -1..1. Frames without sound cost nothing. Pure.
 */
import { Fourier } from "./fourier.js";

export const MEL_SAMPLE_RATE_HZ = 16_000;
export const MEL_HOP_SAMPLES = 160;
const WINDOW_SAMPLES = 400;
const BINS = WINDOW_SAMPLES / 2 + 1;
const MAX_HZ = MEL_SAMPLE_RATE_HZ / 2;
const FLOOR = 1e-10;
const DYNAMIC_RANGE = 8;

/** The bins a filter covers, and how much it takes of each. */
interface MelFilter {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

export class LogMel {
  readonly melCount: number;
  readonly #filters: readonly MelFilter[];
  readonly #fourier = new Fourier(WINDOW_SAMPLES);
  readonly #window = Float64Array.from({ length: WINDOW_SAMPLES }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW_SAMPLES));
  readonly #re = new Float64Array(WINDOW_SAMPLES);
  readonly #im = new Float64Array(WINDOW_SAMPLES);

  /** @param melCount - 80 or 128 in the models that exist */
  constructor(melCount: number) {
    this.melCount = melCount;
    this.#filters = slaneyFilters(melCount);
  }

  /**
   * @param samples - mono, 16 kHz, +-1; what `frameCount * 160` has beyond them counts as silence, what it lacks is cut
   * @returns `Float32Array[melCount * frameCount]`, one row a mel band
   */
  compute(samples: Float32Array, frameCount: number): Float32Array {
    const length = frameCount * MEL_HOP_SAMPLES;
    const heard = Math.min(samples.length, length);
    // Frames that reach into sound; at the very end the window is mirrored, and so are they.
    const loudFrames = Math.min(frameCount, Math.ceil((heard + WINDOW_SAMPLES / 2) / MEL_HOP_SAMPLES));
    const mel = new Float32Array(this.melCount * frameCount).fill(Math.log10(FLOOR));
    for (let frame = 0; frame < loudFrames; frame += 2) {
      this.#load(this.#re, samples, { frame, heard, length });
      if (frame + 1 < loudFrames) this.#load(this.#im, samples, { frame: frame + 1, heard, length });
      else this.#im.fill(0);
      this.#fourier.transform(this.#re, this.#im);
      this.#store(mel, frame, frameCount, false);
      if (frame + 1 < loudFrames) this.#store(mel, frame + 1, frameCount, true);
    }
    let highest = Number.NEGATIVE_INFINITY;
    for (const value of mel) if (value > highest) highest = value;
    const lowest = highest - DYNAMIC_RANGE;
    for (let index = 0; index < mel.length; index++) mel[index] = (Math.max(mel[index] ?? 0, lowest) + 4) / 4;
    return mel;
  }

  #load(into: Float64Array, samples: Float32Array, place: { readonly frame: number; readonly heard: number; readonly length: number }): void {
    const start = place.frame * MEL_HOP_SAMPLES - WINDOW_SAMPLES / 2;
    for (let index = 0; index < WINDOW_SAMPLES; index++) {
      let at = Math.abs(start + index);
      if (at >= place.length) at = 2 * place.length - 2 - at;
      into[index] = at < place.heard ? (samples[at] ?? 0) * (this.#window[index] ?? 0) : 0;
    }
  }

  /** Two real frames went through as one complex one: the first is its even part, the second its odd part. */
  #store(mel: Float32Array, frame: number, frameCount: number, isSecond: boolean): void {
    for (let band = 0; band < this.melCount; band++) {
      const filter = this.#filters[band];
      if (filter === undefined) continue;
      let energy = 0;
      for (let offset = 0; offset < filter.weights.length; offset++) {
        energy += (filter.weights[offset] ?? 0) * this.#power(filter.firstBin + offset, isSecond);
      }
      mel[band * frameCount + frame] = Math.log10(Math.max(FLOOR, energy));
    }
  }

  #power(bin: number, isSecond: boolean): number {
    const mirror = (WINDOW_SAMPLES - bin) % WINDOW_SAMPLES;
    const [re, im] = [this.#re[bin] ?? 0, this.#im[bin] ?? 0];
    const [mirrorRe, mirrorIm] = [this.#re[mirror] ?? 0, this.#im[mirror] ?? 0];
    const [partRe, partIm] = isSecond ? [im + mirrorIm, mirrorRe - re] : [re + mirrorRe, im - mirrorIm];
    return (partRe * partRe + partIm * partIm) / 4;
  }
}

const LINEAR_HZ_PER_MEL = 200 / 3;
const LOG_FROM_HZ = 1_000;
const LOG_FROM_MEL = LOG_FROM_HZ / LINEAR_HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

const toMel = (hz: number): number => (hz < LOG_FROM_HZ ? hz / LINEAR_HZ_PER_MEL : LOG_FROM_MEL + Math.log(hz / LOG_FROM_HZ) / LOG_STEP);
const toHz = (mel: number): number => (mel < LOG_FROM_MEL ? mel * LINEAR_HZ_PER_MEL : LOG_FROM_HZ * Math.exp(LOG_STEP * (mel - LOG_FROM_MEL)));

/** Triangles of equal area, as in Slaney's Auditory Toolbox. */
function slaneyFilters(melCount: number): readonly MelFilter[] {
  const top = toMel(MAX_HZ);
  const edges = Array.from({ length: melCount + 2 }, (_, index) => toHz((top * index) / (melCount + 1)));
  return Array.from({ length: melCount }, (_, band) => {
    const [low, peak, high] = [edges[band] ?? 0, edges[band + 1] ?? 0, edges[band + 2] ?? 0];
    const weights = Array.from({ length: BINS }, (_unused, bin) => {
      const hz = (bin * MAX_HZ) / (BINS - 1);
      return (Math.max(0, Math.min((hz - low) / (peak - low), (high - hz) / (high - peak))) * 2) / (high - low);
    });
    const firstBin = Math.max(
      0,
      weights.findIndex((weight) => weight > 0),
    );
    const lastBin = weights.findLastIndex((weight) => weight > 0);
    return { firstBin, weights: Float64Array.from(weights.slice(firstBin, lastBin + 1)) };
  });
}
