/** Which part of a sealed recording has to be read to give a range of its plain audio. */
import { AUDIO_BLOCK_BYTES, locateAudioBlock, plainAudioBytes } from "../security/audio-cipher.js";
import type { ByteRange } from "./audio-store.js";

export interface SealedPlace {
  /** Of the first block read. */
  readonly blockNumber: number;
  /** First and last byte of the file, both included; without `end` to its end. */
  readonly place: { readonly start: number; readonly end?: number };
}

/** A range that reaches the end is read to the end of the file: only its last block tells whether the file is whole. */
export function locateSealedRange(range: ByteRange, fileBytes: number): SealedPlace {
  const plainBytes = plainAudioBytes(fileBytes);
  const { blockNumber, fileOffset } = locateAudioBlock(Math.max(0, Math.min(range.start, plainBytes - 1)));
  if (range.end > plainBytes) return { blockNumber, place: { start: fileOffset } };
  return { blockNumber, place: { start: fileOffset, end: locateAudioBlock(range.end - 1 + AUDIO_BLOCK_BYTES).fileOffset - 1 } };
}

/** @returns the key itself. @throws RangeError when it could lead out of the store's place */
export function checkAudioKey(audioKey: string): string {
  if (!isAudioKey(audioKey)) throw new RangeError("audio key holds characters it must not");
  return audioKey;
}

/** Whether the store may have given something this name. */
export function isAudioKey(name: string): boolean {
  return /^[0-9a-zA-Z-]{1,64}$/.test(name);
}
