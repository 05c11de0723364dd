/** Recordings in which nobody speaks: analysed in a moment, for tests of everything around the words. */
import { encodeAlawWav } from "../../src/audio/wav.js";
import { seededBytes } from "./seeded-bytes.js";

const SAMPLE_RATE_HZ = 8_000;
/** A-law's smallest values, above and below zero. */
const [SMALLEST_UP, SMALLEST_DOWN] = [0xd5, 0x55];

/** Mono A-law, 8000 bytes a second. @param seed - another seed, another recording. */
export function quietClip(seed: string, seconds = 1): Buffer {
  const noise = seededBytes(seed, seconds * SAMPLE_RATE_HZ).map((byte) => (byte < 128 ? SMALLEST_UP : SMALLEST_DOWN));
  return encodeAlawWav(noise, { channelCount: 1, sampleRateHz: SAMPLE_RATE_HZ });
}
