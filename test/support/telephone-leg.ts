/** One leg of a telephone sample, as the exchange has it. */
import { readFileSync } from "node:fs";
import { expandAlaw } from "../../src/audio/g711.js";
import { samplePath } from "./sample-audio.js";

/** `Int16Array` at 8 kHz; channel 0 is the caller. */
export function legOf(id: string, channel: 0 | 1, fromMs: number, toMs: number): Int16Array {
  const wav = readFileSync(samplePath(id, "call-8k-alaw.wav"));
  const data = wav.subarray(wav.indexOf("data") + 8);
  return expandAlaw(data.filter((_, index) => index % 2 === channel)).slice(fromMs * 8, toMs * 8);
}
