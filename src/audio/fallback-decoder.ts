/**
 * Decoding without ffmpeg: WAV (PCM, float, G.711) by us, the rest by audio-decode, resampled by libsamplerate. Runs
 * in the decode thread, since all of it computes. It can't do GSM, ADPCM and WebM, and says so; it
 * holds the whole recording in memory.
 */

import { open, readFile, writeFile } from "node:fs/promises";
import { AppError } from "../core/errors.js";
import type { Container } from "./container.js";
import type { AudioFormat } from "./ffmpeg.js";
import { createResampler } from "./resampler.js";
import { floatToS16, parseWavHeader, toS16 } from "./wav.js";

const HEADER_BYTES = 64 * 1024;
/** audio-decode's WebM takes as long as the audio lasts. */
const REFUSED: readonly Container[] = ["webm"];

export interface FallbackOptions {
  readonly path: string;
  readonly container: Container;
  readonly outputPath: string;
  readonly sampleRateHz: number;
}

/**
 * Decodes to interleaved s16le at `sampleRateHz` in `outputPath`.
 *
 * @throws AppError `AUDIO_CORRUPT`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_DECODER_MISSING`
 */
export async function decodeWithoutFfmpeg(options: FallbackOptions): Promise<AudioFormat> {
  if (REFUSED.includes(options.container)) throw needsFfmpeg(options.container);
  const audio = options.container === "wav" ? await decodeWav(options.path) : await decodeByLibrary(options.path);
  const samples = await resampleTo(audio.samples, audio.format, options.sampleRateHz);
  await writeFile(options.outputPath, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  return audio.format;
}

interface InterleavedAudio {
  readonly samples: Int16Array;
  readonly format: AudioFormat;
}

async function decodeWav(path: string): Promise<InterleavedAudio> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, HEADER_BYTES));
    await file.read(head, 0, head.length, 0);
    const header = parseWavHeader(head);
    if (header.encoding === "other") throw needsFfmpeg("wav");
    const present = Math.max(0, size - header.dataOffset);
    // A recorder that was cut off leaves a lying length: what is there counts.
    const isDeclared = header.declaredDataBytes > 0 && header.declaredDataBytes <= present;
    const data = Buffer.alloc(isDeclared ? header.declaredDataBytes : present);
    await file.read(data, 0, data.length, header.dataOffset);
    const bytesPerSecond = header.sampleRateHz * header.channelCount * Math.max(1, header.bitsPerSample / 8);
    return {
      samples: toS16(data, header),
      format: {
        channelCount: header.channelCount,
        sampleRateHz: header.sampleRateHz,
        declaredDurationMs: header.declaredDataBytes === 0xffffffff ? null : Math.round((header.declaredDataBytes / bytesPerSecond) * 1000),
      },
    };
  } finally {
    await file.close();
  }
}

async function decodeByLibrary(path: string): Promise<InterleavedAudio> {
  const { default: decode } = await import("audio-decode");
  const { channelData, sampleRate } = await decode(await readFile(path)).catch((cause: unknown) => {
    throw new AppError("AUDIO_CORRUPT", "The recording can't be decoded: it holds no readable audio. Export it again and retry.", { cause });
  });
  const [first] = channelData;
  if (first === undefined || !(sampleRate > 0)) throw new AppError("AUDIO_CORRUPT", "The recording holds no readable audio. Export it again and retry.");
  const channelCount = channelData.length;
  const samples = new Int16Array(first.length * channelCount);
  for (const [channel, values] of channelData.entries()) {
    for (let index = 0; index < first.length; index++) samples[index * channelCount + channel] = floatToS16(values[index] ?? 0);
  }
  return { samples, format: { channelCount, sampleRateHz: sampleRate, declaredDurationMs: null } };
}

async function resampleTo(samples: Int16Array, format: AudioFormat, sampleRateHz: number): Promise<Int16Array> {
  if (format.sampleRateHz === sampleRateHz) return samples;
  const resampler = await createResampler(format.channelCount, format.sampleRateHz, sampleRateHz);
  try {
    return resampler.processWhole(samples);
  } finally {
    resampler.close();
  }
}

function needsFfmpeg(container: Container): AppError {
  return new AppError("AUDIO_DECODER_MISSING", `This ${container} recording needs the decoder ffmpeg, which is not installed; run: apt-get install ffmpeg`);
}
