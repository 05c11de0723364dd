/** AudioSocket bytes to messages. */
import { PcmBytes } from "../pcm-bytes.js";
import type { StreamDecoder, StreamMessage } from "../stream-message.js";
import { AUDIO_KIND_RATES, KIND_AUDIO_8K, KIND_DTMF, KIND_HANGUP, KIND_ID } from "./message.js";

export interface AudioSocketOptions {
  /** An exchange older than 20.17, 22.7 or 23.1 sends 16 kHz under the kind of 8 kHz; its 20 ms then have 640 bytes. */
  readonly mayBe16kUnder8kKind: boolean;
}

const HEADER_BYTES = 3;
const UUID_BYTES = 16;
const BYTES_OF_20_MS_AT_16K = 640;
const DIGIT = /^[0-9A-D*#]$/;

export class AudioSocketDecoder implements StreamDecoder {
  readonly #options: AudioSocketOptions;
  /** Messages are not frames: one may end in the middle of a sample. */
  readonly #pcm = new PcmBytes("slin");
  #rest: Buffer = Buffer.alloc(0);
  /** Of kind 0x10; known from its first message that is long enough to tell. */
  #plainRateHz: number | undefined;

  constructor(options: AudioSocketOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#rest.length + this.#pcm.pendingBytes;
  }

  /** @throws RangeError for an id that is not 16 bytes */
  push(bytes: Buffer): readonly StreamMessage[] {
    const buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const messages: StreamMessage[] = [];
    let offset = 0;
    while (buffer.length - offset >= HEADER_BYTES) {
      const length = buffer.readUInt16BE(offset + 1);
      const end = offset + HEADER_BYTES + length;
      if (buffer.length < end) break;
      messages.push(this.#toMessage(buffer.readUInt8(offset), buffer.subarray(offset + HEADER_BYTES, end)));
      offset = end;
    }
    this.#rest = Buffer.from(buffer.subarray(offset));
    return messages;
  }

  #toMessage(kind: number, payload: Buffer): StreamMessage {
    const kindRateHz = AUDIO_KIND_RATES[kind];
    if (kindRateHz !== undefined)
      return { kind: "audio", sampleRateHz: kind === KIND_AUDIO_8K ? this.#plainRate(payload) : kindRateHz, samples: this.#pcm.push(payload) };
    if (kind === KIND_HANGUP) return { kind: "hangup" };
    if (kind === KIND_ID) return { kind: "id", streamId: toUuid(payload) };
    const digit = payload.toString("latin1");
    return kind === KIND_DTMF && DIGIT.test(digit) ? { kind: "dtmf", digit } : { kind: "skipped" };
  }

  #plainRate({ length }: Buffer): number {
    this.#plainRateHz ??= this.#options.mayBe16kUnder8kKind && length === BYTES_OF_20_MS_AT_16K ? 16_000 : 8_000;
    return this.#plainRateHz;
  }
}

function toUuid(payload: Buffer): string {
  if (payload.length !== UUID_BYTES) throw new RangeError("an AudioSocket id has 16 bytes");
  const hex = payload.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
