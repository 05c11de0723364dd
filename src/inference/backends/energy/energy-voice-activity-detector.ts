/**
 * Voice activity by energy alone: what is left when onnxruntime is not installed. It hears noise as speech, so its
 * output is marked degraded.
 */
import type { ModelEngine } from "../../model-engine.js";
import { readPcmBlocks } from "../../pcm-blocks.js";

const FRAME_MS = 32;
/** Over the noise floor by this much is speech for certain; half of it is even odds. */
const SPEECH_OVER_FLOOR_DB = 18;
const ABSOLUTE_FLOOR_DBFS = -55;

/** Needs nothing installed. Scores follow the level over the recording's own noise floor. */
export function createEnergyVoiceActivityDetector(): ModelEngine<"voice_activity"> {
  return {
    description: {
      modelTask: "voice_activity",
      engine: "energy",
      revision: "energy-1",
      capabilities: { languages: ["*"], lowQuality: true, sampleRatesHz: [16_000] },
    },
    async run({ audio }, { signal }) {
      const levels: number[] = [];
      const frameSamples = (audio.sampleRateHz * FRAME_MS) / 1000;
      for await (const block of readPcmBlocks(audio, frameSamples * 500, signal)) {
        for (let start = 0; start < block.length; start += frameSamples) levels.push(frameDbfs(block.subarray(start, start + frameSamples)));
      }
      const sorted = [...levels].sort((a, b) => a - b);
      const floor = Math.max(ABSOLUTE_FLOOR_DBFS, sorted[Math.floor(sorted.length * 0.1)] ?? ABSOLUTE_FLOOR_DBFS);
      const speechScores = Float32Array.from(levels, (level) => Math.max(0, Math.min(1, (level - floor) / SPEECH_OVER_FLOOR_DB)));
      return { frameMs: FRAME_MS, speechScores, degraded: true };
    },
  };
}

/** Level of a frame in dB below full scale; -120 for digital silence. */
export function frameDbfs(frame: Int16Array): number {
  let energy = 0;
  for (const sample of frame) energy += sample * sample;
  return 10 * Math.log10(energy / Math.max(1, frame.length) / 32768 ** 2 + 1e-12);
}
