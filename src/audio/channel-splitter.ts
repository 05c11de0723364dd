/**
 * Splits interleaved audio into one file a channel and brings each to a common level: DC removed, gain towards a
 * target loudness, peaks limited. Works in blocks: hours of audio take constant memory. Runs in the decode process.
 */
import { type FileHandle, open } from "node:fs/promises";
import { gainForLoudness, limitSample, toDbfs } from "./level.js";

export interface SplitChannel {
  readonly path: string;
  readonly sampleCount: number;
  /** Level change in decibels, to 0.1. */
  readonly gainDb: number;
}

export interface SplitResult {
  readonly channels: readonly SplitChannel[];
  /** True when two channels carried the same sound and were kept as one. */
  readonly isDualMono: boolean;
}

export interface SplitOptions {
  /** Interleaved s16le. */
  readonly inputPath: string;
  readonly channelCount: number;
  readonly sampleRateHz: number;
  readonly outputPath: (channel: number) => string;
  /** Two channels with the same sound stay two. */
  readonly keepsSameChannels?: boolean;
}

const BLOCK_FRAMES = 65_536;

/** One channel's measures. */
interface Level {
  sum: number;
  sampleCount: number;
  blockSum: number;
  blockEnergy: number;
  blockSamples: number;
  readonly blockDbfs: number[];
}

/** Measures, then writes. Resolves with no channels when the input is empty. */
export async function splitChannels(options: SplitOptions): Promise<SplitResult> {
  const input = await open(options.inputPath, "r");
  try {
    const { levels, isSame } = await measure(input, options);
    const isDualMono = options.keepsSameChannels !== true && options.channelCount === 2 && isSame && (levels[0]?.sampleCount ?? 0) > 0;
    const kept = isDualMono ? levels.slice(0, 1) : levels;
    const channels: SplitChannel[] = [];
    for (const [channel, level] of kept.entries()) {
      if (level.sampleCount > 0) channels.push(await writeChannel(input, options, { channel, level }));
    }
    return { channels, isDualMono };
  } finally {
    await input.close();
  }
}

async function* blocks(input: FileHandle, channelCount: number): AsyncGenerator<Int16Array> {
  const frameBytes = channelCount * 2;
  const buffer = Buffer.alloc(BLOCK_FRAMES * frameBytes);
  const samples = new Int16Array(buffer.buffer, buffer.byteOffset, buffer.length / 2);
  let position = 0;
  for (;;) {
    const { bytesRead } = await input.read(buffer, 0, buffer.length, position);
    const whole = bytesRead - (bytesRead % frameBytes);
    if (whole === 0) return;
    position += whole;
    yield samples.subarray(0, whole / 2);
  }
}

async function measure(input: FileHandle, { channelCount, sampleRateHz }: SplitOptions): Promise<{ levels: Level[]; isSame: boolean }> {
  const levels = Array.from({ length: channelCount }, (): Level => ({ sum: 0, sampleCount: 0, blockSum: 0, blockEnergy: 0, blockSamples: 0, blockDbfs: [] }));
  const blockSamples = Math.round(sampleRateHz / 10);
  let isSame = true;
  for await (const block of blocks(input, channelCount)) {
    for (const [channel, level] of levels.entries()) {
      for (let index = channel; index < block.length; index += channelCount) {
        const sample = block[index] ?? 0;
        level.sum += sample;
        level.blockSum += sample;
        level.blockEnergy += sample * sample;
        level.sampleCount++;
        if (++level.blockSamples === blockSamples) closeBlock(level);
      }
    }
    if (channelCount === 2 && isSame) {
      for (let index = 0; index < block.length && isSame; index += 2) isSame = Math.abs((block[index] ?? 0) - (block[index + 1] ?? 0)) <= 2;
    }
  }
  return { levels, isSame };
}

function closeBlock(level: Level): void {
  level.blockDbfs.push(toDbfs(level.blockSum, level.blockEnergy, level.blockSamples));
  level.blockSum = 0;
  level.blockEnergy = 0;
  level.blockSamples = 0;
}

function gainFor(level: Level): number {
  const sorted = [...level.blockDbfs].sort((a, b) => a - b);
  return gainForLoudness(sorted[Math.floor(sorted.length * 0.95)] ?? Number.NEGATIVE_INFINITY);
}

async function writeChannel(input: FileHandle, options: SplitOptions, { channel, level }: { channel: number; level: Level }): Promise<SplitChannel> {
  const offset = level.sum / level.sampleCount;
  const gainDb = gainFor(level);
  const gain = 10 ** (gainDb / 20);
  const path = options.outputPath(channel);
  const output = await open(path, "w", 0o600);
  try {
    const samples = new Int16Array(BLOCK_FRAMES);
    const bytes = new Uint8Array(samples.buffer);
    for await (const block of blocks(input, options.channelCount)) {
      const frameCount = block.length / options.channelCount;
      for (let frame = 0; frame < frameCount; frame++) {
        samples[frame] = limitSample(((block[frame * options.channelCount + channel] ?? 0) - offset) * gain);
      }
      await output.write(bytes, 0, frameCount * 2);
    }
  } finally {
    await output.close();
  }
  return { path, sampleCount: level.sampleCount, gainDb };
}
