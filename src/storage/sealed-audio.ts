/** What every audio store does alike with the streams of a recording. */
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Passes everything on and counts it. */
export function countingBytes(): { readonly counter: Transform; readonly byteCount: () => number } {
  let byteCount = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      done(null, chunk);
    },
  });
  return { counter, byteCount: () => byteCount };
}

/** The pipeline destroys both ends on any failure; the reader sees it as the decryptor's error. */
export function decrypted(sealed: Readable, decryptor: Transform): Readable {
  void pipeline(sealed, decryptor).catch(() => {});
  return decryptor;
}
