/**
 * AudioSocket messages: kind (1 byte), length (2 bytes, big-endian), payload.
 *
 * @see Asterisk 22.10, include/asterisk/res_audiosocket.h
 */

export const KIND_HANGUP = 0x00;
export const KIND_ID = 0x01;
export const KIND_DTMF = 0x03;
/** Audio at 8 kHz, or at whatever rate before Asterisk 20.17, 22.7 and 23.1. */
export const KIND_AUDIO_8K = 0x10;

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

/** 20 ms of silence at 8 kHz. Asterisk ends a call in which nobody sends anything for two seconds. */
export const SILENCE_MESSAGE = Buffer.concat([Buffer.of(KIND_AUDIO_8K, 0x01, 0x40), Buffer.alloc(320)]);

/** @param streamId - a lower-case UUID. */
export function encodeIdMessage(streamId: string): Buffer {
  return encodeMessage(KIND_ID, Buffer.from(streamId.replaceAll("-", ""), "hex"));
}

/** @throws RangeError for a rate that AudioSocket has no kind for */
export function encodeAudioMessage(samples: Int16Array, sampleRateHz: number): Buffer {
  const kind = Object.entries(AUDIO_KIND_RATES).find(([, rate]) => rate === sampleRateHz)?.[0];
  if (kind === undefined) throw new RangeError("AudioSocket has no kind for this sample rate");
  return encodeMessage(Number(kind), Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
}

function encodeMessage(kind: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(3);
  header.writeUInt8(kind, 0);
  header.writeUInt16BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}
