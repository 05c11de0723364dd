/** Tells the protocols of the telephony port apart by a stream's first bytes. */
import { AudioSocketDecoder, type AudioSocketOptions } from "./audiosocket/audiosocket-decoder.js";
import type { StreamEncoding } from "./pcm-bytes.js";
import { MAX_ID_BYTES, PlainStreamDecoder } from "./plain-stream-decoder.js";
import type { StreamDecoder } from "./stream-message.js";

/** `auto` by the first bytes; `raw` can't be told apart and has to be said. */
export type ListenerProtocol = "auto" | "audiosocket" | "id_line" | "raw";
export type StreamProtocol = Exclude<ListenerProtocol, "auto">;

export interface ListenerOptions extends AudioSocketOptions {
  readonly protocol: ListenerProtocol;
  /** Of `raw`, and after an id line where it is 16 kHz slin unless said otherwise. */
  readonly rawEncoding: StreamEncoding;
  readonly rawSampleRateHz: number;
}

/** An id message: its kind, and a length of 16. */
const AUDIOSOCKET_START = Buffer.of(0x01, 0x00, 0x10);
const PRINTABLE = /^[\x21-\x7e]*$/;
const CARRIAGE_RETURN = 0x0d;

/**
 * @param start - all bytes so far.
 * @returns undefined when more are needed.
 * @throws RangeError when they are of no protocol
 */
export function sniffProtocol(start: Buffer): StreamProtocol | undefined {
  const isAudioSocket = AUDIOSOCKET_START.subarray(0, start.length).equals(start.subarray(0, AUDIOSOCKET_START.length));
  if (isAudioSocket) return start.length >= AUDIOSOCKET_START.length ? "audiosocket" : undefined;
  const end = start.indexOf(CARRIAGE_RETURN);
  const line = start.toString("latin1", 0, end === -1 ? start.length : end);
  if (!PRINTABLE.test(line) || line.length > MAX_ID_BYTES || end === 0) throw new RangeError("neither AudioSocket nor an id line");
  return end === -1 ? undefined : "id_line";
}

export function createStreamDecoder(protocol: StreamProtocol, options: ListenerOptions): StreamDecoder {
  if (protocol === "audiosocket") return new AudioSocketDecoder(options);
  const { rawEncoding, rawSampleRateHz } = options;
  return new PlainStreamDecoder({ hasIdLine: protocol === "id_line", encoding: rawEncoding, sampleRateHz: rawSampleRateHz });
}
