import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { floatToS16, parseWavHeader, toS16, type WavEncoding } from "../../../src/audio/wav.js";
import { AppError } from "../../../src/core/errors.js";
import { riffChunk, wavFile } from "../../support/wav-file.js";

const corrupt = expect.objectContaining({ code: "AUDIO_CORRUPT" });

/** Only errors of ours may come out, whatever goes in. */
function onlyAppError(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
  }
}

describe("parseWavHeader", () => {
  it("reads a plain header", () => {
    const file = wavFile({ channelCount: 2, sampleRateHz: 44_100, data: new Uint8Array(8) });
    expect(parseWavHeader(file)).toEqual({
      ...{ encoding: "pcm", channelCount: 2, sampleRateHz: 44_100, bitsPerSample: 16, blockBytes: 4 },
      ...{ dataOffset: 44, declaredDataBytes: 8 },
    });
  });

  it.each([
    [1, "pcm"],
    [3, "float"],
    [6, "alaw"],
    [7, "ulaw"],
    [2, "other"],
    [0x55, "other"],
  ] as const)("names the encoding of format tag %i as %s", (formatTag, encoding) => {
    expect(parseWavHeader(wavFile({ formatTag, bitsPerSample: 8 })).encoding).toBe(encoding);
    expect(parseWavHeader(wavFile({ formatTag: 0xfffe, subFormatTag: formatTag, bitsPerSample: 8 })).encoding).toBe(encoding);
  });

  it("steps over other chunks, odd ones with their padding byte", () => {
    const list = riffChunk("LIST", Buffer.from("INFOabc"));
    const bext = riffChunk("bext", Buffer.alloc(602));
    const file = wavFile({ before: [bext], between: [list], data: new Uint8Array(4) });
    const header = parseWavHeader(file);
    expect(header).toMatchObject({ encoding: "pcm", declaredDataBytes: 4 });
    expect(file.subarray(header.dataOffset - 8, header.dataOffset - 4).toString("latin1")).toBe("data");
  });

  it.each([0, 0xffffffff])("says the data length as the file does, also when a recorder was cut off and left %i", (declaredDataBytes) => {
    expect(parseWavHeader(wavFile({ declaredDataBytes, data: new Uint8Array(100) }))).toMatchObject({ declaredDataBytes, dataOffset: 44 });
  });

  it("reads a header that does not start at the start of its memory", () => {
    const padded = Buffer.concat([Buffer.alloc(3), wavFile({ sampleRateHz: 16_000 })]);
    expect(parseWavHeader(padded.subarray(3)).sampleRateHz).toBe(16_000);
  });

  it("finds a file without format, without data, or with impossible fields corrupt", () => {
    const whole = wavFile({ data: new Uint8Array(10) });
    const broken = [
      Buffer.alloc(0),
      Buffer.from("RIFF"),
      whole.subarray(0, 12),
      whole.subarray(0, 30),
      whole.subarray(0, 36),
      riffChunk("RIFF", Buffer.concat([Buffer.from("WAVE"), riffChunk("data", Buffer.alloc(4))])),
      wavFile({ channelCount: 0 }),
      wavFile({ sampleRateHz: 0 }),
    ];
    for (const [index, bytes] of broken.entries()) expect(() => parseWavHeader(bytes), `broken file ${index}`).toThrowError(corrupt);
  });

  it("throws nothing but errors of ours on random bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => onlyAppError(() => parseWavHeader(bytes))));
  });

  it("throws nothing but errors of ours on random chunks in a RIFF file", () => {
    const chunk = fc
      .tuple(fc.constantFrom("fmt ", "data", "LIST", "fact", "JUNK"), fc.uint8Array({ maxLength: 48 }), fc.option(fc.nat(0xffffffff), { nil: undefined }))
      .map(([id, content, declared]) => riffChunk(id, content, declared));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 5 }), fc.nat(200), (chunks, cut) => {
        const whole = riffChunk("RIFF", Buffer.concat([Buffer.from("WAVE"), ...chunks]));
        onlyAppError(() => parseWavHeader(whole));
        onlyAppError(() => parseWavHeader(whole.subarray(0, cut)));
      }),
    );
  });
});

describe("toS16", () => {
  const convert = (encoding: WavEncoding, bitsPerSample: number, bytes: Uint8Array): number[] => [...toS16(bytes, { encoding, bitsPerSample })];
  const float32 = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
  const float64 = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

  it("keeps the upper 16 bits of every PCM width", () => {
    expect(convert("pcm", 8, Uint8Array.of(0, 128, 255, 129))).toEqual([-32_768, 0, 32_512, 256]);
    expect(convert("pcm", 16, Uint8Array.of(0x34, 0x12, 0x00, 0x80, 0xff, 0x7f, 0xff, 0xff))).toEqual([0x1234, -32_768, 32_767, -1]);
    expect(convert("pcm", 24, Uint8Array.of(0x99, 0x34, 0x12, 0, 0, 0x80, 0xff, 0xff, 0x7f))).toEqual([0x1234, -32_768, 32_767]);
    expect(convert("pcm", 32, Uint8Array.of(0x99, 0x99, 0x34, 0x12, 0, 0, 0, 0x80))).toEqual([0x1234, -32_768]);
  });

  it("scales floats to 32767, clamps them, and takes what is no number for silence", () => {
    const values = [0, 1, -1, 0.5, 2, -7, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const expected = [0, 32_767, -32_767, 16_384, 32_767, -32_767, 0, 32_767, -32_767];
    expect(convert("float", 32, float32(...values))).toEqual(expected);
    expect(convert("float", 64, float64(...values))).toEqual(expected);
    expect(values.map(floatToS16)).toEqual(expected);
  });

  it("expands the telephone codes", () => {
    expect(convert("ulaw", 8, Uint8Array.of(0x80, 0xff))).toEqual([32_124, 0]);
    expect(convert("alaw", 8, Uint8Array.of(0xaa, 0xd5))).toEqual([32_256, 8]);
  });

  it("drops a rest shorter than one sample", () => {
    expect(convert("pcm", 16, Uint8Array.of(1, 0, 2))).toEqual([1]);
    expect(convert("pcm", 24, Uint8Array.of(0, 1, 0, 0, 2))).toEqual([1]);
    expect(convert("pcm", 32, Uint8Array.of(0, 0, 1))).toEqual([]);
    expect(convert("float", 64, float64(1).subarray(0, 7))).toEqual([]);
  });

  it("reads samples at any place in memory", () => {
    const bytes = Buffer.concat([Buffer.alloc(1), Buffer.from([0x34, 0x12])]);
    expect(convert("pcm", 16, bytes.subarray(1))).toEqual([0x1234]);
  });

  it.each([
    ["other", 16],
    ["pcm", 12],
    ["pcm", 0],
    ["pcm", 64],
    ["float", 16],
  ] as const)("refuses %s samples of %i bits", (encoding, bits) => {
    expect(() => convert(encoding, bits, new Uint8Array(16))).toThrowError(expect.objectContaining({ code: "AUDIO_UNSUPPORTED_FORMAT" }));
  });

  it("throws nothing but errors of ours, whatever the header says", () => {
    const encodings = fc.constantFrom<WavEncoding[]>("pcm", "float", "alaw", "ulaw", "other");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), encodings, fc.nat(65_535), (bytes, encoding, bits) => onlyAppError(() => convert(encoding, bits, bytes))),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(8, 16, 24, 32, 64), (bytes, bits) => onlyAppError(() => convert("pcm", bits, bytes))),
    );
  });
});
