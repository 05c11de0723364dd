/** AudioSocket bytes to messages, wherever TCP cut them. Nothing is ever skipped to get back into step. */
import { AUDIO_KIND_RATES, type AudioSocketMessage } from "./message.js";

const HEADER_BYTES = 3;
const UUID_BYTES = 16;

export class AudioSocketDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** Bytes of a message that has not ended yet; not 0 at the end of a stream means it was cut. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /** @throws RangeError for an id that is not 16 bytes: what follows can't be trusted. */
  push(bytes: Buffer): readonly AudioSocketMessage[] {
    const buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: AudioSocketMessage[] = [];
    let offset = 0;
    while (buffer.length - offset >= HEADER_BYTES) {
      const length = buffer.readUInt16BE(offset + 1);
      const end = offset + HEADER_BYTES + length;
      if (buffer.length < end) break;
      messages.push(toMessage(buffer.readUInt8(offset), buffer.subarray(offset + HEADER_BYTES, end)));
      offset = end;
    }
    this.#rest = Buffer.from(buffer.subarray(offset));
    return messages;
  }
}

function toMessage(kind: number, payload: Buffer): AudioSocketMessage {
  const sampleRateHz = AUDIO_KIND_RATES[kind];
  if (sampleRateHz !== undefined) return { kind: "audio", sampleRateHz, samples: toSamples(payload) };
  if (kind === 0x00) return { kind: "hangup" };
  if (kind === 0x01) return { kind: "uuid", streamId: toUuid(payload) };
  if (kind === 0x03) return { kind: "dtmf" };
  return { kind: kind === 0xff ? "error" : "unknown" };
}

/** A copy: the payload is a view of a buffer that is used again. An odd last byte is no sample. */
function toSamples(payload: Buffer): Int16Array {
  const samples = new Int16Array(payload.length >> 1);
  for (let index = 0; index < samples.length; index++) samples[index] = payload.readInt16LE(index * 2);
  return samples;
}

function toUuid(payload: Buffer): string {
  if (payload.length !== UUID_BYTES) throw new RangeError("an AudioSocket id has 16 bytes");
  const hex = payload.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
