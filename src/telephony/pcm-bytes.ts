/** Sample bytes as they come over a wire, to samples of their own. */
import { endianness } from "node:os";
import { expandAlaw, expandUlaw } from "../audio/g711.js";

export const STREAM_ENCODINGS = ["slin", "alaw", "ulaw"] as const;
/** `slin`: s16le at any rate. */
export type StreamEncoding = (typeof STREAM_ENCODINGS)[number];

const IS_LITTLE_ENDIAN = endianness() === "LE";

/** s16le to samples; an odd last byte is no sample. A copy: the bytes are a view of a buffer that is used again. */
function samplesOf(bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  const target = Buffer.from(samples.buffer);
  target.set(bytes.subarray(0, samples.length * 2));
  if (!IS_LITTLE_ENDIAN) target.swap16();
  return samples;
}

/** Bytes of samples that may be cut anywhere: half a sample waits for its other half. */
export class PcmBytes {
  readonly #encoding: StreamEncoding;
  #half: Buffer = Buffer.alloc(0);

  constructor(encoding: StreamEncoding) {
    this.#encoding = encoding;
  }

  push(bytes: Buffer): Int16Array {
    if (this.#encoding === "alaw") return expandAlaw(bytes);
    if (this.#encoding === "ulaw") return expandUlaw(bytes);
    const all = this.#half.length === 0 ? bytes : Buffer.concat([this.#half, bytes]);
    const whole = all.length - (all.length % 2);
    this.#half = Buffer.from(all.subarray(whole));
    return samplesOf(all.subarray(0, whole));
  }

  get pendingBytes(): number {
    return this.#half.length;
  }
}
