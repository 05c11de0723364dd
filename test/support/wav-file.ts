/** WAV files from their parts, right and wrong ones, laid out by Microsoft's RIFF description. */

export interface WavParts {
  readonly formatTag?: number;
  readonly channelCount?: number;
  readonly sampleRateHz?: number;
  readonly bitsPerSample?: number;
  /** For format tag 0xFFFE: the tag in the sub-format GUID. */
  readonly subFormatTag?: number;
  /** Chunks between `fmt ` and `data`. */
  readonly between?: readonly Buffer[];
  /** Chunks before `fmt `. */
  readonly before?: readonly Buffer[];
  readonly data?: Uint8Array;
  /** What the data chunk says its length is. */
  readonly declaredDataBytes?: number;
}

/** One RIFF chunk, padded to an even length. */
export function riffChunk(id: string, content: Uint8Array, declaredBytes = content.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 0, "latin1");
  head.writeUInt32LE(declaredBytes, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

export function wavFile(parts: WavParts = {}): Buffer {
  const { formatTag = 1, channelCount = 1, sampleRateHz = 8_000, bitsPerSample = 16, data = new Uint8Array(0) } = parts;
  const blockBytes = Math.ceil((channelCount * bitsPerSample) / 8);
  const format = Buffer.alloc(parts.subFormatTag === undefined ? 16 : 40);
  format.writeUInt16LE(formatTag, 0);
  format.writeUInt16LE(channelCount, 2);
  format.writeUInt32LE(sampleRateHz, 4);
  format.writeUInt32LE((sampleRateHz * blockBytes) >>> 0, 8);
  format.writeUInt16LE(blockBytes, 12);
  format.writeUInt16LE(bitsPerSample, 14);
  if (parts.subFormatTag !== undefined) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(bitsPerSample, 18);
    format.writeUInt32LE(0, 20);
    format.writeUInt16LE(parts.subFormatTag, 24);
    Buffer.from("000000001000800000aa00389b71", "hex").copy(format, 26);
  }
  const chunks = [...(parts.before ?? []), riffChunk("fmt ", format), ...(parts.between ?? []), riffChunk("data", data, parts.declaredDataBytes)];
  const body = Buffer.concat([Buffer.from("WAVE", "latin1"), ...chunks]);
  return riffChunk("RIFF", body);
}
