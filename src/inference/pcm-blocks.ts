/** Reading samples in blocks, for engines that go through hours of audio in constant memory. */
import { open } from "node:fs/promises";
import { createResampler } from "../audio/resampler.js";
import type { PcmSource } from "./speech-recognizer.js";

/**
 * Yields the samples in order, `blockSamples` at a time; the last block may be shorter. Each block is valid until the
 * next one is asked for.
 */
export async function* readPcmBlocks(source: PcmSource, blockSamples: number, signal: AbortSignal): AsyncGenerator<Int16Array> {
  if ("samples" in source) {
    for (let sample = 0; sample < source.sampleCount; sample += blockSamples) {
      signal.throwIfAborted();
      yield source.samples.subarray(sample, Math.min(sample + blockSamples, source.sampleCount));
    }
    return;
  }
  const file = await open(source.path, "r");
  try {
    const buffer = Buffer.alloc(blockSamples * 2);
    for (let sample = 0; sample < source.sampleCount; ) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length, sample * 2);
      const count = Math.floor(bytesRead / 2);
      if (count === 0) return;
      yield new Int16Array(buffer.buffer, buffer.byteOffset, count);
      sample += count;
    }
  } finally {
    await file.close();
  }
}

/** The samples between two times; what lies outside of the source is left out. */
export async function readPcmRange(source: PcmSource, fromMs: number, toMs: number): Promise<Int16Array> {
  const first = Math.max(0, Math.round((fromMs * source.sampleRateHz) / 1000));
  const last = Math.min(source.sampleCount, Math.round((toMs * source.sampleRateHz) / 1000));
  if ("samples" in source) return source.samples.subarray(first, last);
  const bytes = Buffer.alloc(Math.max(0, last - first) * 2);
  const file = await open(source.path, "r");
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, first * 2);
    return new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytesRead / 2));
  } finally {
    await file.close();
  }
}

/** A window at one of the rates an engine takes, if it names any; files are at such a rate already. */
export async function atEngineRate(source: PcmSource, sampleRatesHz: readonly number[] | undefined): Promise<PcmSource> {
  const [rate] = sampleRatesHz ?? [];
  if (!("samples" in source) || rate === undefined || sampleRatesHz?.includes(source.sampleRateHz)) return source;
  const resampler = await createResampler(1, source.sampleRateHz, rate);
  try {
    const samples = resampler.processWhole(source.samples);
    return { ...source, samples, sampleRateHz: rate, sampleCount: samples.length };
  } finally {
    resampler.close();
  }
}
