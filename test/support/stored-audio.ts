/** What the audio store's contract stores, and how it lies there: the file format of src/security/audio-cipher.ts. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

export const KEY = "01890000-0000-7000-8000-000000000001";
export const BLOCK = 65_536;
/** Magic and salt. */
export const HEADER_BYTES = 20;
/** A whole block has its length before it and its tag after it. */
export const STORED_BLOCK_BYTES = 4 + BLOCK + 16;

/** Bytes that differ everywhere and are the same in every run. */
export function pseudoRandomBytes(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) => createHash("sha256").update(`block ${index}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** In uneven pieces, as a socket gives them. */
export function inPieces(bytes: Buffer, pieceBytes = 7_919): Readable {
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) pieces.push(bytes.subarray(offset, offset + pieceBytes));
  return Readable.from(pieces, { objectMode: false });
}
