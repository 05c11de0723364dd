/** The header of a WAV file on disk, wherever its data begins: recorders put notes of any length before it. */
import type { FileHandle } from "node:fs/promises";
import { parseWavHeader, type WavHeader } from "./wav.js";

const CHUNK_HEADER_BYTES = 8;
const MAX_FORMAT_BYTES = 256;
/** Chunks before the data; a file with more is not a recording. */
const MAX_CHUNKS = 10_000;

/** @throws AppError `AUDIO_CORRUPT` when there is no format or no data chunk. */
export async function readWavHeader(file: FileHandle): Promise<WavHeader> {
  const riff = Buffer.alloc(12);
  await file.read(riff, 0, riff.length, 0);
  const kept: Buffer[] = [riff];
  let offset = riff.length;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk++) {
    const header = Buffer.alloc(CHUNK_HEADER_BYTES);
    if ((await file.read(header, 0, header.length, offset)).bytesRead < header.length) break;
    const id = header.toString("latin1", 0, 4);
    const length = header.readUInt32LE(4);
    if (id === "data") return { ...parseWavHeader(Buffer.concat([...kept, header])), dataOffset: offset + CHUNK_HEADER_BYTES };
    if (id === "fmt ") kept.push(header, await readFormat(file, offset + CHUNK_HEADER_BYTES, length));
    offset += CHUNK_HEADER_BYTES + length + (length % 2);
  }
  // Without a data chunk this says so.
  return parseWavHeader(Buffer.concat(kept));
}

/** The chunk's bytes, with its padding byte. */
async function readFormat(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(Math.min(MAX_FORMAT_BYTES, length + (length % 2)));
  await file.read(bytes, 0, bytes.length, offset);
  return bytes;
}

/**
 * How the length that the header declares fits what the file holds. A chunk after the data (notes, labels) is no sound.
 *
 * @returns `declaredDurationMs` null when the recorder left it open; `unreadMs`, sound past the declared end.
 */
export async function compareWithSize(
  file: FileHandle,
  header: WavHeader,
  size: number,
): Promise<{ readonly declaredDurationMs: number | null; readonly unreadMs: number }> {
  const { declaredDataBytes, dataOffset, sampleRateHz, blockBytes, channelCount, bitsPerSample } = header;
  const isOpen = declaredDataBytes === 0 || declaredDataBytes === 0xffffffff;
  // The bytes a second of block codecs are not in these fields; what ffmpeg finds is compared then.
  const bytesPerMs = (sampleRateHz * Math.max(blockBytes, channelCount * (bitsPerSample / 8))) / 1000;
  if (isOpen || header.encoding === "other" || !(bytesPerMs > 0)) return { declaredDurationMs: null, unreadMs: 0 };
  const end = dataOffset + declaredDataBytes + (declaredDataBytes % 2);
  const next = Buffer.alloc(4);
  await file.read(next, 0, next.length, end);
  const isChunk = /^[\x20-\x7e]{4}$/.test(next.toString("latin1"));
  return {
    declaredDurationMs: Math.round(declaredDataBytes / bytesPerMs),
    unreadMs: isChunk || end >= size ? 0 : Math.round((size - end) / bytesPerMs),
  };
}
