/** WAV files whose headers lie, whose samples are no numbers, or which are cut off; laid out by Microsoft's RIFF description. */
import type { HostileContent } from "./hostile-files.js";
import { seededBytes } from "./seeded-bytes.js";
import { riffChunk, type WavParts, wavFile } from "./wav-file.js";

/** Where the fields of `wavFile()`'s plain header are. */
const FORMAT_LENGTH_AT = 16;
const CHANNELS_AT = 22;
const RATE_AT = 24;
const BLOCK_ALIGN_AT = 32;
const BITS_AT = 34;
const UNKNOWN_SIZE = 0xffffffff;

function withUInt16(wav: Buffer, value: number, at: number): Buffer {
  const changed = Buffer.from(wav);
  changed.writeUInt16LE(value, at);
  return changed;
}

function withUInt32(wav: Buffer, value: number, at: number): Buffer {
  const changed = Buffer.from(wav);
  changed.writeUInt32LE(value, at);
  return changed;
}

/** @param speech - s16le, 8 kHz, mono. */
export function hostileWavs(speech: Buffer): readonly HostileContent[] {
  return [...cutWavs(speech), ...lyingSizes(speech), ...lyingFormats(speech), ...strangeRates(speech), ...strangeSamples(speech)];
}

function cutWavs(speech: Buffer): readonly HostileContent[] {
  const wav = wavFile({ data: speech });
  return [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenths) => ({
    name: `cut-at-${tenths}-tenths.wav`,
    fate: "analysed",
    content: wav.subarray(0, Math.floor((wav.length * tenths) / 10)),
  }));
}

function lyingSizes(speech: Buffer): readonly HostileContent[] {
  const wav = wavFile({ data: speech });
  const declaring = (declaredDataBytes: number): Buffer => wavFile({ data: speech, declaredDataBytes });
  const junk = (count: number): readonly Buffer[] => Array.from({ length: count }, (_, index) => riffChunk("junk", seededBytes(`junk ${index}`, index % 7)));
  return [
    { name: "data-size-0.wav", fate: "either", content: declaring(0) },
    { name: "data-size-unknown.wav", fate: "analysed", content: declaring(UNKNOWN_SIZE) },
    { name: "data-size-negative.wav", fate: "analysed", content: declaring(0x80000000) },
    { name: "data-size-smaller.wav", fate: "analysed", content: declaring(speech.length / 2) },
    { name: "data-size-bigger.wav", fate: "analysed", content: declaring(speech.length * 10) },
    { name: "data-size-odd.wav", fate: "analysed", content: declaring(speech.length - 1) },
    { name: "riff-size-0.wav", fate: "analysed", content: withUInt32(wav, 0, 4) },
    { name: "riff-size-unknown.wav", fate: "analysed", content: withUInt32(wav, UNKNOWN_SIZE, 4) },
    { name: "format-length-0.wav", fate: "refused", content: withUInt32(wav, 0, FORMAT_LENGTH_AT) },
    { name: "format-length-huge.wav", fate: "refused", content: withUInt32(wav, 0x7fffffff, FORMAT_LENGTH_AT) },
    { name: "format-length-negative.wav", fate: "refused", content: withUInt32(wav, 0xfffffff0, FORMAT_LENGTH_AT) },
    {
      name: "chunk-length-negative.wav",
      fate: "either",
      content: wavFile({ data: speech, between: [riffChunk("LIST", seededBytes("list", 12), 0xfffffff0)] }),
    },
    { name: "chunk-length-huge.wav", fate: "either", content: wavFile({ data: speech, between: [riffChunk("LIST", seededBytes("list", 12), 0x7ffffff0)] }) },
    { name: "junk-chunks-100.wav", fate: "analysed", content: wavFile({ data: speech, between: junk(100) }) },
    // Valid, but more than any recorder writes: a reader may set itself a bound.
    { name: "junk-chunks-5000.wav", fate: "either", content: wavFile({ data: speech, between: junk(5_000) }) },
    { name: "data-before-format.wav", fate: "either", content: dataFirst(wav, speech) },
    { name: "only-riff.wav", fate: "refused", content: wav.subarray(0, 12) },
    { name: "rf64-impossible-size.wav", fate: "either", content: rf64(wav, 0x7fffffffffffffffn) },
    { name: "rf64-negative-size.wav", fate: "either", content: rf64(wav, 0xffffffffffffff00n) },
    { name: "rf64.wav", fate: "analysed", content: rf64(wav, BigInt(speech.length)) },
  ];
}

function dataFirst(wav: Buffer, speech: Buffer): Buffer {
  return riffChunk("RIFF", Buffer.concat([Buffer.from("WAVE", "latin1"), riffChunk("data", speech), riffChunk("fmt ", wav.subarray(20, 36))]));
}

/** EBU Tech 3306: sizes of 64 bits in a `ds64` chunk, 0xFFFFFFFF where RIFF has them. */
function rf64(wav: Buffer, dataBytes: bigint): Buffer {
  const sizes = Buffer.alloc(28);
  sizes.writeBigUInt64LE(BigInt.asUintN(64, dataBytes + 72n), 0);
  sizes.writeBigUInt64LE(dataBytes, 8);
  sizes.writeBigUInt64LE(BigInt.asUintN(64, dataBytes / 2n), 16);
  const rest = Buffer.from(wav.subarray(12));
  rest.writeUInt32LE(UNKNOWN_SIZE, 28);
  return Buffer.concat([Buffer.from("RF64\xff\xff\xff\xffWAVE", "latin1"), riffChunk("ds64", sizes), rest]);
}

function lyingFormats(speech: Buffer): readonly HostileContent[] {
  const wav = wavFile({ data: speech });
  const of = (parts: WavParts): Buffer => wavFile({ data: speech, ...parts });
  return [
    { name: "block-align-0.wav", fate: "either", content: withUInt16(wav, 0, BLOCK_ALIGN_AT) },
    { name: "block-align-65535.wav", fate: "either", content: withUInt16(wav, 0xffff, BLOCK_ALIGN_AT) },
    { name: "bits-0.wav", fate: "either", content: withUInt16(wav, 0, BITS_AT) },
    { name: "bits-65535.wav", fate: "either", content: withUInt16(wav, 0xffff, BITS_AT) },
    { name: "channels-0.wav", fate: "refused", content: withUInt16(wav, 0, CHANNELS_AT) },
    { name: "channels-65535.wav", fate: "refused", content: withUInt16(wav, 0xffff, CHANNELS_AT) },
    { name: "channels-8.wav", fate: "refused", content: of({ channelCount: 8 }) },
    { name: "unknown-format-tag.wav", fate: "refused", content: of({ formatTag: 0x1234 }) },
    { name: "unknown-sub-format.wav", fate: "refused", content: of({ formatTag: 0xfffe, subFormatTag: 0x1234 }) },
    { name: "ms-adpcm-no-table.wav", fate: "either", content: of({ formatTag: 0x02, bitsPerSample: 4 }) },
    { name: "ima-adpcm-block-0.wav", fate: "either", content: withUInt16(of({ formatTag: 0x11, bitsPerSample: 4 }), 0, BLOCK_ALIGN_AT) },
    { name: "gsm-of-noise.wav", fate: "either", content: wavFile({ formatTag: 0x31, bitsPerSample: 0, data: seededBytes("gsm", 6_501) }) },
    { name: "mp3-of-noise.wav", fate: "either", content: wavFile({ formatTag: 0x55, bitsPerSample: 0, data: seededBytes("mp3", 9_001) }) },
  ];
}

function strangeRates(speech: Buffer): readonly HostileContent[] {
  const at = (sampleRateHz: number, data: Uint8Array): Buffer => withUInt32(wavFile({ data }), sampleRateHz, RATE_AT);
  return [
    { name: "rate-0.wav", fate: "refused", content: at(0, speech) },
    { name: "rate-1-for-four-minutes.wav", fate: "either", content: at(1, speech.subarray(0, 480)) },
    { name: "rate-1-for-six-hours.wav", fate: "refused", content: at(1, speech.subarray(0, 2 * 6 * 3_600)) },
    { name: "rate-384000.wav", fate: "analysed", content: at(384_000, Buffer.concat(Array.from({ length: 16 }, () => speech))) },
    { name: "rate-4294967295.wav", fate: "either", content: at(0xffffffff, speech) },
    { name: "no-samples.wav", fate: "refused", content: wavFile() },
  ];
}

function strangeSamples(speech: Buffer): readonly HostileContent[] {
  const float = (value: number): Buffer => wavFile({ formatTag: 3, bitsPerSample: 32, data: new Uint8Array(new Float32Array(16_000).fill(value).buffer) });
  const double = (value: number): Buffer => wavFile({ formatTag: 3, bitsPerSample: 64, data: new Uint8Array(new Float64Array(16_000).fill(value).buffer) });
  const noise = seededBytes("24 bit", 3 * 16_000);
  return [
    { name: "float-nan.wav", fate: "either", content: float(Number.NaN) },
    { name: "float-infinity.wav", fate: "either", content: float(Number.POSITIVE_INFINITY) },
    { name: "float-minus-infinity.wav", fate: "either", content: float(Number.NEGATIVE_INFINITY) },
    { name: "float-1e30.wav", fate: "either", content: float(1e30) },
    { name: "float-denormal.wav", fate: "either", content: float(1e-40) },
    { name: "double-nan.wav", fate: "either", content: double(Number.NaN) },
    { name: "double-1e300.wav", fate: "either", content: double(1e300) },
    { name: "half-a-sample-of-24-bit.wav", fate: "analysed", content: Buffer.from(wavFile({ bitsPerSample: 24, data: noise }).subarray(0, -1)) },
    { name: "odd-byte-of-16-bit.wav", fate: "analysed", content: wavFile({ data: speech }).subarray(0, -1) },
  ];
}
