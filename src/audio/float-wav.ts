/**
 * Rewrites a WAV of floats as 16-bit WAV, block by block: NaN becomes silence and what is beyond full scale is clamped.
 * One NaN in a resampler's input turns everything after it to noise, so this comes first. Runs in the decode process.
 */
import { open } from "node:fs/promises";
import { streamingWavHeader, toS16 } from "./wav.js";
import { readWavHeader } from "./wav-file.js";

const BLOCK_SAMPLES = 65_536;

export interface FloatWavJob {
  readonly path: string;
  readonly outputPath: string;
}

/** @throws AppError `AUDIO_CORRUPT`, `AUDIO_UNSUPPORTED_FORMAT` for a width other than 32 or 64 bits */
export async function rewriteFloatWav({ path, outputPath }: FloatWavJob): Promise<void> {
  const input = await open(path, "r");
  const output = await open(outputPath, "w", 0o600);
  try {
    const header = await readWavHeader(input);
    const { size } = await input.stat();
    const sampleBytes = Math.max(1, header.bitsPerSample / 8);
    const present = Math.max(0, size - header.dataOffset);
    const dataBytes = header.declaredDataBytes > 0 && header.declaredDataBytes <= present ? header.declaredDataBytes : present;
    await output.write(streamingWavHeader(header));
    const block = Buffer.alloc(BLOCK_SAMPLES * sampleBytes);
    for (let done = 0; done < dataBytes; done += block.length) {
      const { bytesRead } = await input.read(block, 0, Math.min(block.length, dataBytes - done), header.dataOffset + done);
      if (bytesRead === 0) break;
      const samples = toS16(block.subarray(0, bytesRead), header);
      await output.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    }
  } finally {
    await input.close();
    await output.close();
  }
}
