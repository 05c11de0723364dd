/** Telephone sound without a header, as an exchange writes it. */
import { expandAlaw } from "../../src/audio/g711.js";
import { shortClip } from "./sample-audio.js";

/** The caller's side of a sample as linear PCM, 8000 Hz mono. */
export function callerSamples(id: string, seconds: number): Int16Array {
  const wav = shortClip(id, seconds);
  return expandAlaw(wav.subarray(wav.indexOf("data") + 8).filter((_, index) => index % 2 === 0));
}

/** 16-bit little-endian. */
export function toSlin(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, index * 2);
  return bytes;
}

/** The other half is where the sample is held: enough for machinery, not for listening. */
export function doubledRate(samples: Int16Array): Int16Array {
  return Int16Array.from({ length: samples.length * 2 }, (_, index) => samples[index >> 1] ?? 0);
}

const BIAS = 132;
const CLIP = 32_635;

/** @see ITU-T G.711 (11/88), table 2a; the segment is the place of the highest bit above the bias. */
export function toUlaw(samples: Int16Array): Buffer {
  return Buffer.from(Uint8Array.from(samples, ulawOf));
}

function ulawOf(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const segment = 31 - Math.clz32(magnitude) - 7;
  const step = (magnitude >> (segment + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff;
}

/** The caller's A-law bytes as they stand in the sample. */
export function callerAlaw(id: string, seconds: number): Buffer {
  const wav = shortClip(id, seconds);
  return Buffer.from(wav.subarray(wav.indexOf("data") + 8).filter((_, index) => index % 2 === 0));
}
