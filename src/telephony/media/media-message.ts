/** What a media WebSocket says, whichever exchange is behind it. */
import type { StreamEncoding } from "../pcm-bytes.js";

export interface MediaFormat {
  readonly encoding: StreamEncoding;
  readonly sampleRateHz: number;
  /** Interleaved; of two the left is the caller. */
  readonly channelCount: 1 | 2;
}

/** Who is heard, where the message says it. */
export type MediaTrack = "caller" | "agent";

export type MediaMessage =
  | { readonly kind: "format"; readonly format: Partial<MediaFormat> }
  | { readonly kind: "audio"; readonly bytes: Buffer; readonly track?: MediaTrack }
  | { readonly kind: "dtmf"; readonly digit: string }
  | { readonly kind: "end" }
  /** Something that needs nothing of us: metadata, marks, answers. */
  | { readonly kind: "skipped" };
