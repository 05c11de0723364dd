/** RIFF/WAVE: reading the header, turning sample bytes into s16, writing a plain PCM header. */
import { AppError } from "../core/errors.js";
import { expandAlaw, expandUlaw } from "./g711.js";

export type WavEncoding = "pcm" | "float" | "alaw" | "ulaw" | "other";

export interface WavHeader {
  readonly encoding: WavEncoding;
  readonly channelCount: number;
  readonly sampleRateHz: number;
  readonly bitsPerSample: number;
  readonly blockBytes: number;
  readonly dataOffset: number;
  /** As the file says; a recorder that was cut off leaves 0 or 0xFFFFFFFF here. */
  readonly declaredDataBytes: number;
}

const ENCODINGS: Readonly<Record<number, WavEncoding>> = { 1: "pcm", 3: "float", 6: "alaw", 7: "ulaw" };
const EXTENSIBLE = 0xfffe;

/**
 * Reads the header from the first bytes of a file (64 KB is plenty).
 *
 * @throws AppError `AUDIO_CORRUPT` when there is no format or data chunk, or a field is impossible.
 * @see Microsoft RIFF, "Multiple Channel Audio Data and WAVE Files" (2007) for the extensible format
 */
export function parseWavHeader(head: Uint8Array): WavHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let format: Omit<WavHeader, "dataOffset" | "declaredDataBytes"> | undefined;
  let offset = 12;
  while (offset + 8 <= head.length) {
    const id = String.fromCharCode(...head.subarray(offset, offset + 4));
    const length = view.getUint32(offset + 4, true);
    if (id === "data" && format !== undefined) return { ...format, dataOffset: offset + 8, declaredDataBytes: length };
    if (id === "fmt " && offset + 24 <= head.length) format = parseFormat(view, offset + 8, length);
    offset += 8 + length + (length % 2);
  }
  throw corrupt("its header has no format or no data part");
}

function parseFormat(view: DataView, offset: number, length: number): Omit<WavHeader, "dataOffset" | "declaredDataBytes"> {
  const tag = view.getUint16(offset, true);
  const subTag = tag === EXTENSIBLE && length >= 26 && offset + 26 <= view.byteLength ? view.getUint16(offset + 24, true) : tag;
  const channelCount = view.getUint16(offset + 2, true);
  const sampleRateHz = view.getUint32(offset + 4, true);
  if (channelCount === 0 || sampleRateHz === 0) throw corrupt("its header says no channels or no sample rate");
  return {
    encoding: ENCODINGS[subTag] ?? "other",
    channelCount,
    sampleRateHz,
    blockBytes: view.getUint16(offset + 12, true),
    bitsPerSample: view.getUint16(offset + 14, true),
  };
}

/**
 * Turns interleaved sample bytes into interleaved s16. A rest shorter than one sample is dropped; NaN becomes 0;
 * floats are clamped to ±1.
 *
 * @throws AppError `AUDIO_UNSUPPORTED_FORMAT` for an encoding or width that is not ours.
 */
export function toS16(bytes: Uint8Array, header: Pick<WavHeader, "encoding" | "bitsPerSample">): Int16Array {
  const { encoding, bitsPerSample } = header;
  if (encoding === "alaw") return expandAlaw(bytes);
  if (encoding === "ulaw") return expandUlaw(bytes);
  const read = sampleReader(encoding, bitsPerSample, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const sampleBytes = bitsPerSample / 8;
  const samples = new Int16Array(Math.floor(bytes.length / sampleBytes));
  for (let index = 0; index < samples.length; index++) samples[index] = read(index * sampleBytes);
  return samples;
}

function sampleReader(encoding: WavEncoding, bits: number, view: DataView): (offset: number) => number {
  if (encoding === "pcm" && bits === 8) return (offset) => (view.getUint8(offset) - 128) << 8;
  if (encoding === "pcm" && bits === 16) return (offset) => view.getInt16(offset, true);
  if (encoding === "pcm" && bits === 24) return (offset) => view.getInt16(offset + 1, true);
  if (encoding === "pcm" && bits === 32) return (offset) => view.getInt16(offset + 2, true);
  if (encoding === "float" && bits === 32) return (offset) => floatToS16(view.getFloat32(offset, true));
  if (encoding === "float" && bits === 64) return (offset) => floatToS16(view.getFloat64(offset, true));
  throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "This kind of WAV needs the decoder ffmpeg; install it with: apt-get install ffmpeg");
}

/** Full scale is 32767 both ways; NaN becomes silence. */
export function floatToS16(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.round(Math.max(-1, Math.min(1, value)) * 32767);
}

function corrupt(why: string): AppError {
  return new AppError("AUDIO_CORRUPT", `The WAV file can't be read: ${why}. Export it again and retry.`);
}

/** Header of a PCM file whose length is not known yet: it ends where the file ends. */
export function streamingWavHeader({ channelCount, sampleRateHz }: { readonly channelCount: number; readonly sampleRateHz: number }): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(0xffffffff, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channelCount, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channelCount * 2, 28);
  header.writeUInt16LE(channelCount * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(0xffffffff, 40);
  return header;
}

/**
 * A WAV file around A-law samples.
 *
 * @param frames - `Uint8Array`, interleaved, one byte per sample.
 */
export function encodeAlawWav(frames: Uint8Array, format: { readonly channelCount: number; readonly sampleRateHz: number }): Buffer {
  const header = Buffer.alloc(46);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(38 + frames.length, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(6, 20);
  header.writeUInt16LE(format.channelCount, 22);
  header.writeUInt32LE(format.sampleRateHz, 24);
  header.writeUInt32LE(format.sampleRateHz * format.channelCount, 28);
  header.writeUInt16LE(format.channelCount, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 38, "latin1");
  header.writeUInt32LE(frames.length, 42);
  return Buffer.concat([header, frames]);
}

/** One channel of 16-bit samples as a whole file. */
export function encodePcmWav(samples: Int16Array, sampleRateHz: number): Buffer {
  const header = streamingWavHeader({ channelCount: 1, sampleRateHz });
  const dataBytes = samples.length * 2;
  header.writeUInt32LE(header.length - 8 + dataBytes, 4);
  header.writeUInt32LE(dataBytes, 40);
  const data = Buffer.alloc(dataBytes);
  for (const [index, sample] of samples.entries()) data.writeInt16LE(sample, index * 2);
  return Buffer.concat([header, data]);
}
