/** A made-up call as text and as sound, for tests of engines and of the pipeline. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TranscriptSegment } from "../../src/core/transcript.js";
import type { PcmFile } from "../../src/inference/speech-recognizer.js";

export const CALL_SEGMENTS: readonly TranscriptSegment[] = [
  { id: "s1", channel: "agent", startMs: 0, endMs: 3_000, text: "Hello, thank you for calling the child helpline.", language: "en", score: null },
  {
    id: "s2",
    channel: "caller",
    startMs: 3_500,
    endMs: 9_000,
    text: "My name is Zuhura and I am thirteen years old. My uncle hits me with a stick.",
    language: "en",
    score: null,
  },
  { id: "s3", channel: "agent", startMs: 9_500, endMs: 12_000, text: "Pole sana. Uko wapi sasa?", language: "sw", score: null },
  { id: "s4", channel: "caller", startMs: 12_500, endMs: 15_000, text: "Niko Dodoma, karibu na soko kuu.", language: "sw", score: null },
];

const SAMPLE_RATE_HZ = 16_000;

/** Two bursts of a voice-like buzz between silences: sound for machinery, not speech for recognizers. */
export function writeBuzz(directory: string = mkdtempSync(join(tmpdir(), "openchs-buzz-"))): PcmFile {
  const sampleCount = SAMPLE_RATE_HZ * 4;
  const samples = Int16Array.from({ length: sampleCount }, (_, index) => {
    const seconds = index / SAMPLE_RATE_HZ;
    const isLoud = (seconds > 0.5 && seconds < 1.5) || (seconds > 2.5 && seconds < 3.5);
    const buzz = [1, 2, 3, 4, 5, 6].reduce((sum, harmonic) => sum + Math.sin(2 * Math.PI * 130 * harmonic * seconds) / harmonic, 0);
    return isLoud ? Math.round(buzz * 6_000 * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * seconds))) : 0;
  });
  const path = join(directory, "buzz.s16");
  writeFileSync(path, new Uint8Array(samples.buffer));
  return { path, sampleRateHz: SAMPLE_RATE_HZ, sampleCount, sourceSampleRateHz: SAMPLE_RATE_HZ };
}
