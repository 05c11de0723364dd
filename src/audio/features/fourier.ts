/** Discrete Fourier transform of lengths made of small factors (400 = 5 * 5 * 4 * 4), by Stockham's autosort. Pure. */

const FACTORS = [5, 4, 3, 2] as const;

interface Stage {
  readonly radix: number;
  /** Length that is left after this stage. */
  readonly remaining: number;
  readonly stride: number;
  /** cos and sin of `exp(-2 pi i jk / radix)`, `[radix * radix]`. */
  readonly butterflyCos: Float64Array;
  readonly butterflySin: Float64Array;
  /** cos and sin of `exp(-2 pi i pk / (remaining * radix))`, `[remaining * radix]`. */
  readonly twiddleCos: Float64Array;
  readonly twiddleSin: Float64Array;
}

/** Tables for one length; `transform` may be called any number of times, from one place at a time. */
export class Fourier {
  readonly length: number;
  readonly #stages: readonly Stage[];
  readonly #scratchRe: Float64Array;
  readonly #scratchIm: Float64Array;

  /** @throws RangeError for a length with a prime factor above 5 */
  constructor(length: number) {
    this.length = length;
    this.#stages = planStages(length);
    this.#scratchRe = new Float64Array(length);
    this.#scratchIm = new Float64Array(length);
  }

  /** In place: `X[k] = sum x[n] exp(-2 pi i nk / length)`. Both arrays have `length` values. */
  transform(re: Float64Array, im: Float64Array): void {
    let [fromRe, fromIm, toRe, toIm] = [re, im, this.#scratchRe, this.#scratchIm];
    for (const stage of this.#stages) {
      runStage(stage, fromRe, fromIm, toRe, toIm);
      [fromRe, fromIm, toRe, toIm] = [toRe, toIm, fromRe, fromIm];
    }
    if (fromRe !== re) {
      re.set(fromRe);
      im.set(fromIm);
    }
  }
}

function planStages(length: number): readonly Stage[] {
  const stages: Stage[] = [];
  let left = length;
  let stride = 1;
  while (left > 1) {
    const radix = FACTORS.find((factor) => left % factor === 0);
    if (radix === undefined) throw new RangeError(`A transform of length ${length} has a prime factor above 5.`);
    const remaining = left / radix;
    const circle = (steps: number, of: number, wave: (angle: number) => number): number => wave((-2 * Math.PI * (steps % of)) / of);
    const table = (size: number, columns: number, of: number, wave: (angle: number) => number): Float64Array =>
      Float64Array.from({ length: size }, (_, index) => circle(Math.floor(index / columns) * (index % columns), of, wave));
    stages.push({
      ...{ radix, remaining, stride },
      butterflyCos: table(radix * radix, radix, radix, Math.cos),
      butterflySin: table(radix * radix, radix, radix, Math.sin),
      twiddleCos: table(remaining * radix, radix, left, Math.cos),
      twiddleSin: table(remaining * radix, radix, left, Math.sin),
    });
    left = remaining;
    stride *= radix;
  }
  return stages;
}

function runStage(stage: Stage, fromRe: Float64Array, fromIm: Float64Array, toRe: Float64Array, toIm: Float64Array): void {
  const { radix, remaining, stride, butterflyCos, butterflySin, twiddleCos, twiddleSin } = stage;
  const hop = stride * remaining;
  for (let p = 0; p < remaining; p++) {
    for (let k = 0; k < radix; k++) {
      const turnCos = twiddleCos[p * radix + k] ?? 0;
      const turnSin = twiddleSin[p * radix + k] ?? 0;
      for (let q = 0; q < stride; q++) {
        let sumRe = 0;
        let sumIm = 0;
        for (let j = 0; j < radix; j++) {
          const at = q + stride * p + hop * j;
          const re = fromRe[at] ?? 0;
          const im = fromIm[at] ?? 0;
          const cos = butterflyCos[j * radix + k] ?? 0;
          const sin = butterflySin[j * radix + k] ?? 0;
          sumRe += re * cos - im * sin;
          sumIm += re * sin + im * cos;
        }
        const out = q + stride * (radix * p + k);
        toRe[out] = sumRe * turnCos - sumIm * turnSin;
        toIm[out] = sumRe * turnSin + sumIm * turnCos;
      }
    }
  }
}
