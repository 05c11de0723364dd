/** The bytes of one leg in each protocol of the telephony port, in 20 ms pieces. */
import { AppError } from "../../core/errors.js";
import { encodeAudioMessage, encodeIdMessage } from "../../telephony/audiosocket/message.js";

export const CALL_PROTOCOLS = ["audiosocket", "id-line", "websocket"] as const;
export type CallProtocol = (typeof CALL_PROTOCOLS)[number];

export const PIECE_MS = 20;

export interface LegMessages {
  /** Sent first. */
  readonly opening: Buffer;
  /** One every 20 ms. */
  readonly pieces: readonly Buffer[];
  readonly durationMs: number;
}

/** @throws AppError `CONFIG_INVALID` for a rate the protocol does not have */
export function legMessages(protocol: CallProtocol, streamId: string, leg: { readonly samples: Int16Array; readonly sampleRateHz: number }): LegMessages {
  const { samples, sampleRateHz } = leg;
  const pieceSamples = Math.round((sampleRateHz * PIECE_MS) / 1000);
  const pieces: Buffer[] = [];
  for (let start = 0; start < samples.length; start += pieceSamples) {
    const piece = samples.subarray(start, start + pieceSamples);
    pieces.push(protocol === "audiosocket" ? encodeAudioMessage(piece, sampleRateHz) : toBytes(piece));
  }
  const durationMs = (samples.length * 1000) / sampleRateHz;
  if (protocol === "audiosocket") return { opening: encodeIdMessage(streamId), pieces, durationMs };
  if (protocol === "id-line" && sampleRateHz !== 16_000) {
    throw new AppError("CONFIG_INVALID", "The id line is always followed by 16000 Hz audio; give a file at that rate: ffmpeg -i FILE -ar 16000 call.wav");
  }
  return { opening: protocol === "id-line" ? Buffer.from(`${streamId}\r`) : Buffer.alloc(0), pieces, durationMs };
}

function toBytes(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}
