/** Decrypting a run of blocks from the middle of a recording, apart from any store. */
import { randomBytes } from "node:crypto";
import { Readable, type Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AUDIO_BLOCK_BYTES,
  AUDIO_HEADER_BYTES,
  createAudioEncryptor,
  createAudioRangeDecryptor,
  locateAudioBlock,
} from "../../../src/security/audio-cipher.js";

const KEY = Buffer.alloc(32, 9);
/** Of length before and tag after the bytes of a block. */
const STORED_BLOCK_BYTES = 4 + AUDIO_BLOCK_BYTES + 16;

/** Sends bytes through a stream in pieces of the given length. */
function through(transform: Transform, bytes: Buffer, pieceBytes: number): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) => bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes));
  return buffer(Readable.from(pieces, { objectMode: false }).pipe(transform));
}

/** As a store does: from the block of the first byte to the end of the file. */
function decrypt(sealed: Buffer, range: { start: number; end: number }, pieceBytes: number): Promise<Buffer> {
  const decryptor = createAudioRangeDecryptor(KEY, sealed.subarray(0, AUDIO_HEADER_BYTES), range);
  return through(decryptor, sealed.subarray(locateAudioBlock(range.start).fileOffset), pieceBytes);
}

describe("the audio range decryptor", () => {
  it.each([
    [0, 0, 20],
    [1, 0, 20],
    [AUDIO_BLOCK_BYTES - 1, 0, 20],
    [AUDIO_BLOCK_BYTES, 1, 20 + STORED_BLOCK_BYTES],
    [AUDIO_BLOCK_BYTES + 1, 1, 20 + STORED_BLOCK_BYTES],
    [10 * AUDIO_BLOCK_BYTES, 10, 20 + 10 * STORED_BLOCK_BYTES],
    // 16 GiB, the largest recording there may be.
    [17_179_869_184, 262_144, 20 + 262_144 * STORED_BLOCK_BYTES],
  ])("finds plain byte %i in block %i, which begins at %i", (plainOffset, blockNumber, fileOffset) => {
    expect(AUDIO_HEADER_BYTES).toBe(20);
    expect(locateAudioBlock(plainOffset)).toEqual({ blockNumber, fileOffset });
  });

  it("gives any range however the file was cut into pieces", async () => {
    const byteCount = 3 * AUDIO_BLOCK_BYTES + 500;
    const plain = randomBytes(byteCount);
    const sealed = await through(createAudioEncryptor(KEY), plain, 50_000);
    const ranges = fc.tuple(fc.nat(byteCount - 1), fc.nat(byteCount)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
    await fc.assert(
      fc.asyncProperty(ranges, fc.integer({ min: 200, max: 150_000 }), async (range, pieceBytes) => {
        expect((await decrypt(sealed, range, pieceBytes)).equals(plain.subarray(range.start, range.end))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("takes no block for one at another place", async () => {
    const sealed = await through(createAudioEncryptor(KEY), randomBytes(3 * AUDIO_BLOCK_BYTES), 50_000);
    const decryptor = createAudioRangeDecryptor(KEY, sealed.subarray(0, AUDIO_HEADER_BYTES), { start: AUDIO_BLOCK_BYTES, end: AUDIO_BLOCK_BYTES + 10 });
    const wrongPlace = sealed.subarray(locateAudioBlock(0).fileOffset);
    await expect(through(decryptor, wrongPlace, 50_000)).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
  });

  it("takes no block under the header of another recording", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => through(createAudioEncryptor(KEY), randomBytes(2 * AUDIO_BLOCK_BYTES), 50_000)));
    const header = (other ?? Buffer.alloc(0)).subarray(0, AUDIO_HEADER_BYTES);
    const decryptor = createAudioRangeDecryptor(KEY, header, { start: AUDIO_BLOCK_BYTES, end: AUDIO_BLOCK_BYTES + 10 });
    const blocks = (one ?? Buffer.alloc(0)).subarray(locateAudioBlock(AUDIO_BLOCK_BYTES).fileOffset);
    await expect(through(decryptor, blocks, 50_000)).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
  });
});
