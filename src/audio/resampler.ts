/** Resampling of live legs, block by block: the converter keeps its state, so blocks join without a seam. */
import type * as LibSampleRate from "@alexanderolsen/libsamplerate-js";
import { floatToS16 } from "./wav.js";

export interface Resampler {
  /** The samples that are ready; the converter holds a few milliseconds back. */
  process(samples: Int16Array): Int16Array;
  /** The whole of `samples`, as one piece. */
  processWhole(samples: Int16Array): Int16Array;
  close(): void;
}

/** @param channelCount - interleaved channels, 1 or 2. */
export async function createResampler(channelCount: number, fromHz: number, toHz: number): Promise<Resampler> {
  // Node gives this CommonJS module as `default`; loaders that read its source give its names as well.
  const loaded = (await import("@alexanderolsen/libsamplerate-js")) as typeof LibSampleRate & { readonly default?: typeof LibSampleRate };
  const { ConverterType, create } = loaded.default ?? loaded;
  const converter = await create(channelCount, fromHz, toHz, { converterType: ConverterType.SRC_SINC_FASTEST });
  const toFloat = (samples: Int16Array): Float32Array => Float32Array.from(samples, (sample) => sample / 32768);
  return {
    process: (samples) => Int16Array.from(converter.full(toFloat(samples)), floatToS16),
    processWhole: (samples) => Int16Array.from(converter.simple(toFloat(samples)), floatToS16),
    close: () => converter.destroy(),
  };
}
