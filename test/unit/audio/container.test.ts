import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONTAINERS, SNIFF_BYTES, sniffContainer } from "../../../src/audio/container.js";

/** A file's first bytes: text as Latin-1, numbers as bytes, zeros up to what is looked at. */
function head(...parts: readonly (string | number)[]): Uint8Array {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from([part]))));
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, SNIFF_BYTES - bytes.length))]);
}

const text = (content: string, encoding: BufferEncoding = "utf8"): Uint8Array => Buffer.from(content.repeat(10), encoding);

describe("sniffContainer", () => {
  it.each([
    ["wav", "RIFF/WAVE", head("RIFF", 36, 0, 0, 0, "WAVEfmt ")],
    ["wav", "RF64", head("RF64", 0xff, 0xff, 0xff, 0xff, "WAVEds64")],
    ["flac", "RFC 9639", head("fLaC", 0, 0, 0, 34)],
    ["ogg", "RFC 3533", head("OggS", 0, 2)],
    ["mp4", "an M4A brand", head(0, 0, 0, 32, "ftypM4A ")],
    ["mp4", "an ISO brand", head(0, 0, 0, 24, "ftypisom")],
    ["webm", "the EBML magic", head(0x1a, 0x45, 0xdf, 0xa3, 0x9f)],
    ["amr", "AMR-NB", head("#!AMR\n")],
    ["amr", "AMR-WB", head("#!AMR-WB\n")],
    ["mp3", "an ID3 tag", head("ID3", 4, 0, 0)],
    ["mp3", "an MPEG-1 layer III frame", head(0xff, 0xfb, 0x90, 0x64)],
    ["mp3", "an MPEG-2 layer III frame", head(0xff, 0xf3, 0x40, 0xc4)],
    ["aac", "an ADTS frame without CRC", head(0xff, 0xf1, 0x50, 0x80)],
    ["aac", "an ADTS frame with CRC", head(0xff, 0xf0, 0x50, 0x80)],
  ] as const)("tells %s by %s", (container, _sign, bytes) => {
    expect(sniffContainer(bytes)).toBe(container);
    expect(CONTAINERS).toContain(container);
  });

  it.each([
    ["plain text", text("The caller said hello. ")],
    ["an M3U playlist", text("#EXTM3U\nhttp://127.0.0.1/internal\n")],
    ["an HLS playlist", text("#EXTM3U\n#EXT-X-TARGETDURATION:10\nfile:///etc/passwd\n")],
    ["a concat script", text("ffconcat version 1.0\nfile /etc/passwd\n")],
    ["a shell script", text("#!/bin/sh\ncat /etc/passwd\n")],
    ["a page", text("<!doctype html><html>")],
    ["a DASH manifest", text('<?xml version="1.0"?><MPD>')],
    ["a zip", head("PK", 3, 4)],
    ["a PDF", head("%PDF-1.7")],
    ["a program", head(0x7f, "ELF", 2, 1, 1)],
    ["a RIFF file that is no WAVE", head("RIFF", 36, 0, 0, 0, "AVI LIST")],
    ["a JPEG", head(0xff, 0xd8, 0xff, 0xe0)],
    ["text with a UTF-8 mark", text("\uFEFF#EXTM3U\n")],
    ["a playlist in UTF-16, little-endian", text("\uFEFF#EXTM3U\nfile:///etc/passwd\n", "utf16le")],
    ["text in UTF-16, little-endian", text("\uFEFFThe caller said hello.", "utf16le")],
    ["text in UTF-16, big-endian", Buffer.from(text("\uFEFF#EXTM3U\n", "utf16le")).swap16()],
    ["sound without a header", new Uint8Array(64).fill(0xff)],
    ["silence without a header", new Uint8Array(64)],
    ["an empty file", new Uint8Array(0)],
    ["a single byte", Uint8Array.of(0xff)],
  ])("does not take %s for audio", (_what, bytes) => {
    expect(sniffContainer(bytes)).toBeUndefined();
  });

  it.each([
    ["the reserved version", 0xff, 0xeb, 0x90],
    ["the forbidden bit rate", 0xff, 0xfb, 0xf0],
    ["the reserved sample rate", 0xff, 0xfb, 0x9c],
  ])("takes no frame header with %s for MP3", (_what, ...bytes) => {
    expect(sniffContainer(head(...bytes))).toBeUndefined();
  });

  it("answers with a container of ours or none for any bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const container = sniffContainer(bytes);
        expect(container === undefined || CONTAINERS.includes(container)).toBe(true);
      }),
    );
  });

  it("takes no printable text for audio but the AMR magic and an ID3 tag", () => {
    const printable = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(printable, (content) => {
        fc.pre(!/^(RIFF|RF64|fLaC|OggS|#!AMR|ID3|.{4}ftyp)/.test(content));
        expect(sniffContainer(Buffer.from(content))).toBeUndefined();
      }),
    );
  });
});
