/** What travels between the service and the voice activity thread. */
import type { LiveSampleRateHz } from "../../live-voice-activity.js";

export interface ThreadOptions {
  readonly modelPath: string;
}

/** `streamIds[i]` owns frame `i` of `samples`; a stream may own several, in order. */
export interface FrameBatch {
  readonly kind: "frames";
  readonly id: number;
  readonly sampleRateHz: LiveSampleRateHz;
  readonly streamIds: Uint32Array;
  readonly samples: Int16Array;
}

export type MessageToThread = FrameBatch | { readonly kind: "forget"; readonly streamId: number };

/** `scores[i]` is of frame `i`. */
export type MessageFromThread = { readonly kind: "ready" } | { readonly kind: "scores"; readonly id: number; readonly scores: Float32Array };
