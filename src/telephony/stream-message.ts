/** What any protocol of the telephony port says, once its bytes are read. */

export type StreamMessage =
  /** Whose stream it is; once, before any audio. */
  | { readonly kind: "id"; readonly streamId: string }
  /** `Int16Array`, mono, its own to keep. */
  | { readonly kind: "audio"; readonly sampleRateHz: number; readonly samples: Int16Array }
  /** A key of the telephone: `0-9 * # A-D`. */
  | { readonly kind: "dtmf"; readonly digit: string }
  | { readonly kind: "hangup" }
  /** Well formed and of a kind this program does not know: a newer exchange must not lose a call over it. */
  | { readonly kind: "skipped" };

/** Bytes to messages, wherever TCP cut them. Nothing is ever skipped to get back into step. */
export interface StreamDecoder {
  /** @throws RangeError when the bytes are not of this protocol: what follows can't be trusted */
  push(bytes: Buffer): readonly StreamMessage[];
  /** Bytes of a message that has not ended yet; not 0 at the end of a stream means it was cut. */
  readonly pendingBytes: number;
}
