/** The common level that recognizers get: how loud a stretch is, what gain it needs, and a limiter that never clips. */

/** Loudness of the louder parts (95th percentile of 100 ms blocks) is brought here. */
const TARGET_DBFS = -20;
const MAX_GAIN_DB = 30;
/** Quieter than this is an empty channel: its noise is not blown up into speech. */
const SILENT_DBFS = -60;
const LIMIT_START = 0.9 * 32767;

/** Gain in decibels, to 0.1. */
export function gainForLoudness(loudDbfs: number): number {
  if (loudDbfs < SILENT_DBFS) return 0;
  return Math.round(Math.max(-MAX_GAIN_DB, Math.min(MAX_GAIN_DB, TARGET_DBFS - loudDbfs)) * 10) / 10;
}

/** Level without the block's own mean, in dB below full scale: an offset is not sound. */
export function frameLevelDbfs(samples: Int16Array): number {
  let sum = 0;
  let energy = 0;
  for (const sample of samples) {
    sum += sample;
    energy += sample * sample;
  }
  return toDbfs(sum, energy, samples.length);
}

/** The same from running sums. */
export function toDbfs(sum: number, energy: number, count: number): number {
  const mean = sum / Math.max(1, count);
  return 10 * Math.log10(Math.max(0, energy / Math.max(1, count) - mean * mean) / 32768 ** 2 + 1e-12);
}

/** Linear to 0.9 of full scale, then bent so that it never gets past. */
export function limitSample(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude <= LIMIT_START) return Math.round(value);
  const room = 32767 - LIMIT_START;
  return Math.round(Math.sign(value) * (LIMIT_START + room * Math.tanh((magnitude - LIMIT_START) / room)));
}
