/** How much later, louder and longer one sound is than another; by Fourier transform, so that a band can be chosen. */

export interface SignalComparison {
  /** How much later the second is; negative when it is earlier. */
  readonly lagMs: number;
  /** How much longer the second is. */
  readonly longerMs: number;
  /** How much louder the second is in the band, over the time both have. */
  readonly louderDb: number;
  /** Of the aligned sounds, in the band: 1 when they are the same but for their level. */
  readonly correlation: number;
}

export interface Band {
  readonly fromHz: number;
  readonly toHz: number;
}

interface Spectrum {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

const SAMPLE_RATE_HZ = 16_000;
/** Lags looked at: far more than allowed, so that a failure tells the real one. */
const MAX_LAG_SAMPLES = SAMPLE_RATE_HZ / 2;

/** Both at 16 kHz. The first's spectrum is kept for the next comparison with it. */
export function compareSignals(first: Float64Array, second: Float64Array, band: Band): SignalComparison {
  const size = 2 ** Math.ceil(Math.log2(Math.max(first.length, second.length) + MAX_LAG_SAMPLES));
  const { spectrum: a, signal: x } = keptBandOf(first, size, band);
  const b = bandOf(second, size, band);
  const lag = bestLag(a, b, size);
  const y = inverse(b);
  let [energyX, energyY, product] = [0, 0, 0];
  for (let index = Math.max(0, -lag); index < Math.min(first.length, second.length - lag); index++) {
    const left = x[index] ?? 0;
    const right = y[index + lag] ?? 0;
    energyX += left * left;
    energyY += right * right;
    product += left * right;
  }
  return {
    lagMs: (lag * 1_000) / SAMPLE_RATE_HZ,
    longerMs: ((second.length - first.length) * 1_000) / SAMPLE_RATE_HZ,
    louderDb: 10 * Math.log10(energyY / energyX),
    correlation: product / Math.sqrt(energyX * energyY),
  };
}

interface KeptBand {
  readonly spectrum: Spectrum;
  /** The sound without what lies outside the band. */
  readonly signal: Float64Array;
}

const keptBands = new WeakMap<Float64Array, Map<string, KeptBand>>();

function keptBandOf(sound: Float64Array, size: number, band: Band): KeptBand {
  const key = `${size} ${band.fromHz} ${band.toHz}`;
  const ofSound = keptBands.get(sound) ?? new Map<string, KeptBand>();
  keptBands.set(sound, ofSound);
  const kept = ofSound.get(key);
  if (kept !== undefined) return kept;
  const spectrum = bandOf(sound, size, band);
  const made = { spectrum, signal: inverse(spectrum) };
  ofSound.set(key, made);
  return made;
}

function bandOf(signal: Float64Array, size: number, { fromHz, toHz }: Band): Spectrum {
  const real = new Float64Array(size);
  real.set(signal);
  const spectrum = { real, imaginary: new Float64Array(size) };
  transform(spectrum);
  for (let bin = 0; bin < size; bin++) {
    const hz = (Math.min(bin, size - bin) * SAMPLE_RATE_HZ) / size;
    if (hz >= fromHz && hz <= toHz) continue;
    spectrum.real[bin] = 0;
    spectrum.imaginary[bin] = 0;
  }
  return spectrum;
}

/** The lag at which the cross-correlation is highest. */
function bestLag(a: Spectrum, b: Spectrum, size: number): number {
  const product = { real: new Float64Array(size), imaginary: new Float64Array(size) };
  for (let bin = 0; bin < size; bin++) {
    const [realA, imaginaryA] = [a.real[bin] as number, a.imaginary[bin] as number];
    const [realB, imaginaryB] = [b.real[bin] as number, b.imaginary[bin] as number];
    product.real[bin] = realA * realB + imaginaryA * imaginaryB;
    product.imaginary[bin] = realA * imaginaryB - imaginaryA * realB;
  }
  const correlation = inverse(product);
  let best = 0;
  for (let lag = -MAX_LAG_SAMPLES; lag <= MAX_LAG_SAMPLES; lag++) {
    if ((correlation[(lag + size) % size] ?? 0) > (correlation[(best + size) % size] ?? 0)) best = lag;
  }
  return best;
}

/** The real signal of a spectrum: the transform of the conjugate, over its size. */
function inverse({ real, imaginary }: Spectrum): Float64Array {
  const turned = { real: Float64Array.from(real), imaginary: imaginary.map((value) => -value) };
  transform(turned);
  return turned.real.map((value) => value / real.length);
}

/** Cooley and Tukey's, in place; the size is a power of two. */
function transform({ real, imaginary }: Spectrum): void {
  const size = real.length;
  reverseBits(real);
  reverseBits(imaginary);
  const { cosines, sines } = turnsOf(size);
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let step = 0; step < half; step++) {
        const [low, high] = [start + step, start + step + half];
        const [cosine, sine] = [cosines[step * stride] as number, sines[step * stride] as number];
        const [lowReal, lowImaginary] = [real[low] as number, imaginary[low] as number];
        const [highReal, highImaginary] = [real[high] as number, imaginary[high] as number];
        const turnedReal = highReal * cosine - highImaginary * sine;
        const turnedImaginary = highReal * sine + highImaginary * cosine;
        real[low] = lowReal + turnedReal;
        imaginary[low] = lowImaginary + turnedImaginary;
        real[high] = lowReal - turnedReal;
        imaginary[high] = lowImaginary - turnedImaginary;
      }
    }
  }
}

function reverseBits(part: Float64Array): void {
  for (let index = 1, reversed = 0; index < part.length; index++) {
    let bit = part.length >> 1;
    for (; (reversed & bit) !== 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (index >= reversed) continue;
    const kept = part[index] as number;
    part[index] = part[reversed] as number;
    part[reversed] = kept;
  }
}

interface Turns {
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

const knownTurns = new Map<number, Turns>();

/** The half circle in `size / 2` steps. */
function turnsOf(size: number): Turns {
  const angles = (of: (angle: number) => number): Float64Array => Float64Array.from({ length: size / 2 }, (_, step) => of((-2 * Math.PI * step) / size));
  const turns = knownTurns.get(size) ?? { cosines: angles(Math.cos), sines: angles(Math.sin) };
  knownTurns.set(size, turns);
  return turns;
}
