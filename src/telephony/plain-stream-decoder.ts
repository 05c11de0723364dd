/**
 * Bare samples to the end of the connection: after an id line, as the older service takes them, or with no id at all, as
 * that project's patched MixMonitor sends them.
 *
 * @see openchlai/ai, ai_service/app/streaming/tcp_server.py and helplinev1/rest_api/services/app_mixmonitor.c
 */
import { CALL_ID_PATTERN, newId } from "../core/ids.js";
import { PcmBytes, type StreamEncoding } from "./pcm-bytes.js";
import type { StreamDecoder, StreamMessage } from "./stream-message.js";

export interface PlainStreamOptions {
  /** `<id>` and a carriage return come first; otherwise the stream gets an id of ours. */
  readonly hasIdLine: boolean;
  readonly encoding: StreamEncoding;
  readonly sampleRateHz: number;
}

const CARRIAGE_RETURN = 0x0d;
export const MAX_ID_BYTES = 128;

export class PlainStreamDecoder implements StreamDecoder {
  readonly #options: PlainStreamOptions;
  readonly #pcm: PcmBytes;
  #line: Buffer | undefined;

  constructor(options: PlainStreamOptions) {
    this.#options = options;
    this.#pcm = new PcmBytes(options.encoding);
    this.#line = Buffer.alloc(0);
  }

  get pendingBytes(): number {
    return (this.#line?.length ?? 0) + this.#pcm.pendingBytes;
  }

  /** @throws RangeError for an id line that does not end in time or holds characters it must not */
  push(bytes: Buffer): readonly StreamMessage[] {
    if (this.#line === undefined) return this.#audio(bytes);
    if (!this.#options.hasIdLine) {
      this.#line = undefined;
      return [{ kind: "id", streamId: newId() }, ...this.#audio(bytes)];
    }
    const seen = Buffer.concat([this.#line, bytes]);
    const end = seen.indexOf(CARRIAGE_RETURN);
    if (end === -1 || end > MAX_ID_BYTES) {
      if (end > MAX_ID_BYTES || seen.length > MAX_ID_BYTES) throw new RangeError("the id line is too long");
      this.#line = seen;
      return [];
    }
    const streamId = seen.toString("latin1", 0, end);
    if (!CALL_ID_PATTERN.test(streamId)) throw new RangeError("the id holds characters it must not");
    this.#line = undefined;
    return [{ kind: "id", streamId: streamId.toLowerCase() }, ...this.#audio(seen.subarray(end + 1))];
  }

  #audio(bytes: Buffer): readonly StreamMessage[] {
    const samples = this.#pcm.push(bytes);
    return samples.length === 0 ? [] : [{ kind: "audio", sampleRateHz: this.#options.sampleRateHz, samples }];
  }
}
