/** Contract of the `voice_activity` task: how likely each frame of one channel is speech. */
import type { PcmSource } from "./speech-recognizer.js";

export interface VoiceActivityInput {
  readonly audio: PcmSource;
}

/** `speechScores[i]` in 0..1 covers audio time `[i * frameMs, (i + 1) * frameMs)`. */
export interface VoiceActivityOutput {
  readonly frameMs: number;
  readonly speechScores: Float32Array;
  /** True when an energy detector stood in for the model. */
  readonly degraded: boolean;
}
