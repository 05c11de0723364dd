/**
 * AudioSocket messages: kind (1 byte), length (2 bytes, big-endian), payload.
 *
 * @see Asterisk 22.10, include/asterisk/res_audiosocket.h
 */

/** Sample rate in Hz of each audio kind; samples are s16le, mono. */
export const AUDIO_KIND_RATES: Readonly<Record<number, number>> = {
  16: 8_000,
  17: 12_000,
  18: 16_000,
  19: 24_000,
  20: 32_000,
  21: 44_100,
  22: 48_000,
  23: 96_000,
  24: 192_000,
};

export type AudioSocketMessage =
  | { readonly kind: "hangup" }
  /** The leg's UUID in lower case; Asterisk sends it first, once. */
  | { readonly kind: "uuid"; readonly streamId: string }
  /** One ASCII character of `0-9 * # A-D`. */
  | { readonly kind: "dtmf" }
  | { readonly kind: "audio"; readonly sampleRateHz: number; readonly samples: Int16Array }
  | { readonly kind: "error" }
  /** Well formed and of a kind this program does not know: a newer exchange must not lose a call over it. */
  | { readonly kind: "unknown" };

/** 20 ms of silence at 8 kHz. Asterisk ends a call in which nobody sends anything for two seconds. */
export const SILENCE_MESSAGE = Buffer.concat([Buffer.of(0x10, 0x01, 0x40), Buffer.alloc(320)]);
