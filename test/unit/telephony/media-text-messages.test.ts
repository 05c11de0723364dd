import { describe, expect, it } from "vitest";
import { readMediaText } from "../../../src/telephony/media/text-messages.js";

const json = (value: object): string => JSON.stringify(value);

describe("text frames of media sockets", () => {
  it.each([
    ["slin", 8_000],
    ["slin12", 12_000],
    ["slin16", 16_000],
    ["slin44", 44_100],
    ["slin192", 192_000],
  ])("of Asterisk announce %s, in JSON and in plain text", (format, sampleRateHz) => {
    const expected = { kind: "format", format: { encoding: "slin", sampleRateHz, channelCount: 1 } };
    expect(readMediaText(json({ event: "MEDIA_START", connection_id: "x", channel: "PJSIP/1", format, optimal_frame_size: 320 }))).toEqual(expected);
    expect(readMediaText(`MEDIA_START connection_id:x channel:PJSIP/1 format:${format} optimal_frame_size:320`)).toEqual(expected);
  });

  it("of Asterisk announce G.711 by name, and other codecs are refused", () => {
    expect(readMediaText(json({ event: "MEDIA_START", format: "ulaw" }))).toMatchObject({ format: { encoding: "ulaw", sampleRateHz: 8_000 } });
    expect(readMediaText("MEDIA_START format:alaw")).toMatchObject({ format: { encoding: "alaw" } });
    expect(() => readMediaText("MEDIA_START format:g729")).toThrow(RangeError);
  });

  it("tell keys that were pressed, in every dialect", () => {
    const pressed = { kind: "dtmf", digit: "5" };
    expect(readMediaText(json({ event: "DTMF_END", digit: "5" }))).toEqual(pressed);
    expect(readMediaText("DTMF_END digit:5")).toEqual(pressed);
    expect(readMediaText(json({ event: "dtmf", dtmf: { digit: "5" } }))).toEqual(pressed);
    expect(readMediaText(json({ event: "dtmf", dtmf: "5", duration: 1600 }))).toEqual(pressed);
    expect(readMediaText("DTMF_END digit:55")).toEqual({ kind: "skipped" });
  });

  it("of jambonz announce rate and channels with the call's data", () => {
    const first = { callSid: "a", from: "x", to: "y", sampleRate: 8000, mixType: "stereo" };
    expect(readMediaText(json(first))).toEqual({ kind: "format", format: { encoding: "slin", sampleRateHz: 8_000, channelCount: 2 } });
    expect(readMediaText(json({ ...first, sampleRate: 16000, mixType: "mono" }))).toMatchObject({ format: { sampleRateHz: 16_000, channelCount: 1 } });
    expect(() => readMediaText(json({ ...first, sampleRate: 7 }))).toThrow(RangeError);
  });

  it("of JSON streams carry sound with its track, and say when it ends", () => {
    expect(readMediaText(json({ event: "connected", protocol: "Call" }))).toEqual({ kind: "skipped" });
    const start = { event: "start", start: { callSid: "a", mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 } } };
    expect(readMediaText(json(start))).toEqual({ kind: "format", format: { encoding: "ulaw", sampleRateHz: 8_000, channelCount: 1 } });
    const payload = Buffer.from([1, 2, 3]).toString("base64");
    expect(readMediaText(json({ event: "media", media: { track: "inbound", payload } }))).toEqual({
      kind: "audio",
      bytes: Buffer.from([1, 2, 3]),
      track: "caller",
    });
    expect(readMediaText(json({ event: "media", media: { track: "outbound", payload } }))).toMatchObject({ track: "agent" });
    expect(readMediaText(json({ event: "stop" }))).toEqual({ kind: "end" });
  });

  it.each(["", "{", "null", "[]", "hello there", json({ any: "metadata" }), json({ event: 5 }), "🙂", "MEDIA_XOFF"])("that are %j need nothing", (text) => {
    expect(readMediaText(text)).toEqual({ kind: "skipped" });
  });
});
