/**
 * Decoding without ffmpeg: WAV (PCM, float, G.711) by us, the rest by audio-decode, resampled by libsamplerate. Runs
 * in the decode process, since all of it computes. It can't do GSM, ADPCM and WebM, and says so; it
 * holds the whole recording in memory.
 */

import { open, readFile, stat, writeFile } from "node:fs/promises";
import { AppError } from "../core/errors.js";
import { type Container, isRawFormat, RAW_SAMPLE_RATES_HZ, type RawFormat } from "./container.js";
import { type AudioFormat, MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ } from "./ffmpeg.js";
import { createResampler } from "./resampler.js";
import { floatToS16, toS16 } from "./wav.js";
import { readWavHeader } from "./wav-file.js";

/** The recording is held in memory: an hour of two wide channels is about a gigabyte. */
const MAX_HELD_MS = 3_600_000;
const MAX_COMPRESSED_BYTES = 8_388_608;
const FLAC_HEAD_BYTES = 42;
/** audio-decode's WebM takes as long as the audio lasts. */
const REFUSED: readonly Container[] = ["webm", "gsm"];

export interface FallbackOptions {
  readonly path: string;
  readonly container: Container;
  readonly outputPath: string;
  readonly sampleRateHz: number;
  readonly maxDurationMs: number;
}

/**
 * Decodes to interleaved s16le at `sampleRateHz` in `outputPath`.
 *
 * @throws AppError `AUDIO_CORRUPT`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_DECODER_MISSING`
 */
export async function decodeWithoutFfmpeg(options: FallbackOptions): Promise<AudioFormat> {
  if (REFUSED.includes(options.container)) throw needsFfmpeg(options.container);
  const audio = await decodeHere(options);
  const samples = await resampleTo(audio.samples, audio.format, options.sampleRateHz);
  await writeFile(options.outputPath, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  return audio.format;
}

function decodeHere(options: FallbackOptions): Promise<InterleavedAudio> {
  if (options.container === "wav") return decodeWav(options);
  return isRawFormat(options.container) ? decodeRaw(options, options.container) : decodeByLibrary(options);
}

/** One channel of samples from the first byte to the last. */
async function decodeRaw({ path, maxDurationMs }: FallbackOptions, rawFormat: RawFormat): Promise<InterleavedAudio> {
  const sampleRateHz = RAW_SAMPLE_RATES_HZ[rawFormat];
  const encoding = rawFormat === "ulaw" || rawFormat === "alaw" ? rawFormat : "pcm";
  const bitsPerSample = encoding === "pcm" ? 16 : 8;
  const { size } = await stat(path);
  if ((size * 8_000) / (bitsPerSample * sampleRateHz) > Math.min(maxDurationMs, MAX_HELD_MS)) throw tooLongToHold();
  const samples = toS16(await readFile(path), { encoding, bitsPerSample });
  return { samples, format: { channelCount: 1, sampleRateHz, declaredDurationMs: null } };
}

interface InterleavedAudio {
  readonly samples: Int16Array;
  readonly format: AudioFormat;
}

async function decodeWav({ path, maxDurationMs }: FallbackOptions): Promise<InterleavedAudio> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const header = await readWavHeader(file);
    if (header.encoding === "other") throw needsFfmpeg("wav");
    const present = Math.max(0, size - header.dataOffset);
    // A recorder that was cut off leaves a lying length: what is there counts.
    const isDeclared = header.declaredDataBytes > 0 && header.declaredDataBytes <= present;
    const bytesPerSecond = header.sampleRateHz * header.channelCount * Math.max(1, header.bitsPerSample / 8);
    const heldMs = ((isDeclared ? header.declaredDataBytes : present) / bytesPerSecond) * 1000;
    if (heldMs > Math.min(maxDurationMs, MAX_HELD_MS)) throw tooLongToHold();
    const data = Buffer.alloc(isDeclared ? header.declaredDataBytes : present);
    await file.read(data, 0, data.length, header.dataOffset);
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

/** FLAC tells its length; of the others only the size is known before they are decoded. */
async function refuseTooLong({ path, container, maxDurationMs }: FallbackOptions): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (container !== "flac" && size > MAX_COMPRESSED_BYTES) throw tooLongToHold(container);
    const head = Buffer.alloc(FLAC_HEAD_BYTES);
    await file.read(head, 0, head.length, 0);
    // STREAMINFO: 20 bits of sample rate, 8 bits of layout, 36 bits of samples (RFC 9639 section 8.2).
    const sampleRateHz = head.readUIntBE(18, 3) >> 4;
    const sampleCount = (head.readUInt8(21) & 0x0f) * 2 ** 32 + head.readUInt32BE(22);
    const isTooLong = sampleCount / Math.max(1, sampleRateHz) > Math.min(maxDurationMs, MAX_HELD_MS) / 1000;
    if (container === "flac" && isTooLong) throw tooLongToHold();
  } finally {
    await file.close();
  }
}

async function decodeByLibrary(options: FallbackOptions): Promise<InterleavedAudio> {
  await refuseTooLong(options);
  const { path } = options;
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
  if (format.sampleRateHz < MIN_SAMPLE_RATE_HZ || format.sampleRateHz > MAX_SAMPLE_RATE_HZ) {
    throw new AppError("AUDIO_UNSUPPORTED_FORMAT", `A sample rate of ${format.sampleRateHz} Hz can't be read here; send the recording at 8000 to 48000 Hz.`);
  }
  const resampler = await createResampler(format.channelCount, format.sampleRateHz, sampleRateHz);
  try {
    return resampler.processWhole(samples);
  } finally {
    resampler.close();
  }
}

function tooLongToHold(container?: Container): AppError {
  if (container === "amr") return new AppError("AUDIO_TOO_LARGE", "An AMR recording of over an hour can't be decoded here; convert it to WAV or OGG.");
  return new AppError("AUDIO_DECODER_MISSING", "The recording is too long to decode without ffmpeg, which is not installed; run: apt-get install ffmpeg");
}

function needsFfmpeg(container: Container): AppError {
  return new AppError("AUDIO_DECODER_MISSING", `This ${container} recording needs the decoder ffmpeg, which is not installed; run: apt-get install ffmpeg`);
}
