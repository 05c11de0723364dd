/**
 * The text frames of media WebSockets: Asterisk's chan_websocket (JSON and plain), jambonz `listen`, FreeSWITCH's metadata, and
 * JSON streams of Twilio's kind. They tell themselves apart by their fields. Pure.
 *
 * @see Asterisk 22.6, channels/chan_websocket.c; jambonz docs, "listen"; Twilio docs, "Media Streams - WebSocket messages"
 */
import { z } from "zod";
import type { StreamEncoding } from "../pcm-bytes.js";
import type { MediaFormat, MediaMessage } from "./media-message.js";

const SKIPPED: MediaMessage = { kind: "skipped" };
const DIGIT = /^[0-9A-D*#]$/;
const MIN_RATE_HZ = 8_000;
const MAX_RATE_HZ = 192_000;

/** Asterisk's names of its linear formats: the number is kHz, none is 8. */
const SLIN = /^slin(12|16|24|32|44|48|96|192)?$/;
const SLIN_RATES: Readonly<Record<string, number>> = { 12: 12_000, 16: 16_000, 24: 24_000, 32: 32_000, 44: 44_100, 48: 48_000, 96: 96_000, 192: 192_000 };
const ENCODINGS: Readonly<Record<string, StreamEncoding>> = {
  ulaw: "ulaw",
  alaw: "alaw",
  "audio/x-mulaw": "ulaw",
  "audio/x-alaw": "alaw",
  "audio/x-l16": "slin",
};

const messageSchema = z.object({
  event: z.string().optional(),
  format: z.string().optional(),
  digit: z.string().optional(),
  callSid: z.string().optional(),
  sampleRate: z.number().optional(),
  mixType: z.string().optional(),
  dtmf: z.union([z.string(), z.object({ digit: z.string() })]).optional(),
  start: z
    .object({ mediaFormat: z.object({ encoding: z.string().optional(), sampleRate: z.number().optional(), channels: z.number().optional() }).optional() })
    .optional(),
  media: z.object({ track: z.string().optional(), payload: z.string() }).optional(),
});
type TextMessage = z.infer<typeof messageSchema>;

/** @throws RangeError for a format that can't be heard here */
export function readMediaText(text: string): MediaMessage {
  const message = text.trimStart().startsWith("{") ? parseJson(text) : parsePlain(text);
  if (message === undefined) return SKIPPED;
  if (message.media !== undefined) return toAudio(message.media);
  if (message.event === "MEDIA_START") return { kind: "format", format: message.format === undefined ? {} : asteriskFormat(message.format) };
  if (message.event === "DTMF_END") return toDigit(message.digit);
  if (message.event === "stop") return { kind: "end" };
  if (message.event === "start") return { kind: "format", format: jsonStreamFormat(message.start?.mediaFormat) };
  if (message.event === "dtmf") return toDigit(typeof message.dtmf === "object" ? message.dtmf.digit : (message.dtmf ?? message.digit));
  if (message.sampleRate !== undefined) return { kind: "format", format: jambonzFormat(message) };
  return SKIPPED;
}

function parseJson(text: string): TextMessage | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Metadata that is no JSON after all is nothing to us.
    return undefined;
  }
}

/** `EVENT key:value key:value`, as chan_websocket writes by default. */
function parsePlain(text: string): TextMessage | undefined {
  const [event = "", ...fields] = text.trim().split(/\s+/);
  if (!/^[A-Z_]+$/.test(event)) return undefined;
  return messageSchema.safeParse({ ...Object.fromEntries(fields.map((field) => [field.split(":")[0] ?? "", field.slice(field.indexOf(":") + 1)])), event })
    .data;
}

function asteriskFormat(name: string): Partial<MediaFormat> {
  const linear = SLIN.exec(name);
  if (linear !== null) return { encoding: "slin", sampleRateHz: SLIN_RATES[linear[1] ?? ""] ?? 8_000, channelCount: 1 };
  const encoding = ENCODINGS[name];
  if (encoding === undefined) throw new RangeError("a codec that can't be heard here; use slin, slin16, ulaw or alaw");
  return { encoding, sampleRateHz: 8_000, channelCount: 1 };
}

/** L16, little-endian; stereo has the caller on the left. */
function jambonzFormat({ sampleRate, mixType }: TextMessage): Partial<MediaFormat> {
  return { encoding: "slin", sampleRateHz: rateOf(sampleRate), channelCount: mixType === "stereo" ? 2 : 1 };
}

function jsonStreamFormat(format: NonNullable<TextMessage["start"]>["mediaFormat"]): Partial<MediaFormat> {
  const encoding = ENCODINGS[format?.encoding?.toLowerCase() ?? "audio/x-mulaw"];
  if (encoding === undefined) throw new RangeError("a codec that can't be heard here");
  return { encoding, sampleRateHz: rateOf(format?.sampleRate), channelCount: format?.channels === 2 ? 2 : 1 };
}

function rateOf(sampleRateHz = 8_000): number {
  if (!Number.isInteger(sampleRateHz) || sampleRateHz < MIN_RATE_HZ || sampleRateHz > MAX_RATE_HZ) throw new RangeError("an impossible sample rate");
  return sampleRateHz;
}

function toAudio({ track, payload }: NonNullable<TextMessage["media"]>): MediaMessage {
  const bytes = Buffer.from(payload, "base64");
  if (track === "inbound" || track === "inbound_track") return { kind: "audio", bytes, track: "caller" };
  if (track === "outbound" || track === "outbound_track") return { kind: "audio", bytes, track: "agent" };
  return { kind: "audio", bytes };
}

function toDigit(digit: string | undefined): MediaMessage {
  return digit !== undefined && DIGIT.test(digit) ? { kind: "dtmf", digit } : SKIPPED;
}
