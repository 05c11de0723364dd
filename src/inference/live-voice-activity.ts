/**
 * Voice activity while a call runs: frames of many streams in, a speech score for each out, in order and a moment
 * later. Each stream keeps its own state; streams share the work.
 */

/** Rates a stream may have; others are resampled before. */
const LIVE_SAMPLE_RATES_HZ = [8_000, 16_000] as const;
export type LiveSampleRateHz = (typeof LIVE_SAMPLE_RATES_HZ)[number];

export const LIVE_FRAME_MS = 32;

/** @returns samples in a frame: 256 at 8 kHz, 512 at 16 kHz. */
export function liveFrameSamples(sampleRateHz: LiveSampleRateHz): number {
  return (sampleRateHz * LIVE_FRAME_MS) / 1000;
}

export interface VoiceActivityStream {
  /** `Int16Array[liveFrameSamples]`; the caller does not change it afterwards. */
  push(frame: Int16Array): void;
  /** No score comes after this. */
  close(): void;
}

export interface LiveVoiceActivity {
  readonly engine: string;
  readonly revision: string;
  /** True when an energy detector stands in for the model: noise counts as speech. */
  readonly isDegraded: boolean;
  /** @param onScore - called once a frame, in order, 0..1. */
  openStream(sampleRateHz: LiveSampleRateHz, onScore: (score: number) => void): VoiceActivityStream;
  close(): Promise<void>;
}
