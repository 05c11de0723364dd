/** Reading s16le sample files in blocks, for engines that go through hours of audio in constant memory. */
import { open } from "node:fs/promises";
import type { PcmSource } from "./speech-recognizer.js";

/**
 * Yields the samples in order, `blockSamples` at a time; the last block may be shorter. Each block is valid until the
 * next one is asked for.
 */
export async function* readPcmBlocks(source: PcmSource, blockSamples: number, signal: AbortSignal): AsyncGenerator<Int16Array> {
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
