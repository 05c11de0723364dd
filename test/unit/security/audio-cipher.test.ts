import { randomBytes } from "node:crypto";
import type { Transform } from "node:stream";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAudioDecryptor, createAudioEncryptor } from "../../../src/security/audio-cipher.js";

const KEY = Buffer.alloc(32, 9);
const BLOCK = 65_536;

/** Sends bytes through a stream, cut into pieces of the given lengths over and over. */
async function through(transform: Transform, bytes: Buffer, pieceLengths: readonly number[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let offset = 0, index = 0; offset < bytes.length; index++) {
    const length = pieceLengths[index % pieceLengths.length] ?? 1;
    pieces.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  const source = Readable.from(pieces, { objectMode: false });
  source.on("error", (error) => transform.destroy(error));
  return buffer(source.pipe(transform));
}

describe("the audio cipher", () => {
  it("gives back the same bytes however either side's stream was cut", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 6 });
    const sizes = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 150_000));
    await fc.assert(
      fc.asyncProperty(sizes, lengths, lengths, async (size, writeLengths, readLengths) => {
        const plain = randomBytes(size);
        const sealed = await through(createAudioEncryptor(KEY), plain, writeLengths);
        expect((await through(createAudioDecryptor(KEY), sealed, readLengths)).equals(plain)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("reads a file one byte at a time", async () => {
    const plain = randomBytes(500);
    const sealed = await through(createAudioEncryptor(KEY), plain, [1]);
    expect((await through(createAudioDecryptor(KEY), sealed, [1])).equals(plain)).toBe(true);
  });

  it.each([
    // 20 bytes of magic and salt; 4 of length and 16 of tag for each block, and one block even when there is nothing.
    [0, 20 + 20],
    [1, 20 + 21],
    [BLOCK, 20 + 20 + BLOCK],
    [BLOCK + 1, 20 + 2 * 20 + BLOCK + 1],
    [2 * BLOCK, 20 + 2 * (20 + BLOCK)],
  ])("lays %i bytes out in blocks with %i bytes in all, however they came", async (size, total) => {
    for (const lengths of [[size + 1], [1_000], [BLOCK, 1]]) {
      const sealed = await through(createAudioEncryptor(KEY), Buffer.alloc(size), lengths);
      expect(sealed.subarray(0, 4).toString("latin1")).toBe("OCA1");
      expect(sealed).toHaveLength(total);
    }
  });

  it("marks the last block and no other", async () => {
    const sealed = await through(createAudioEncryptor(KEY), Buffer.alloc(BLOCK + 5), [999]);
    expect(sealed.readUInt32LE(20)).toBe(BLOCK);
    expect(sealed.readUInt32LE(20 + 4 + BLOCK + 16)).toBe(0x80000000 + 5);
  });

  it("hands out no byte of a block that was changed", async () => {
    const plain = randomBytes(3 * BLOCK);
    const sealed = await through(createAudioEncryptor(KEY), plain, [BLOCK]);
    const second = 20 + 4 + BLOCK + 16;
    sealed[second + 100] = (sealed[second + 100] ?? 0) ^ 1;
    const decryptor = createAudioDecryptor(KEY);
    const received: Buffer[] = [];
    decryptor.on("data", (piece: Buffer) => received.push(piece));
    const failure = new Promise((resolve) => decryptor.once("error", resolve));
    Readable.from([sealed], { objectMode: false }).pipe(decryptor);
    expect(await failure).toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
    expect(plain.subarray(0, BLOCK).subarray(0, Buffer.concat(received).length).equals(Buffer.concat(received))).toBe(true);
  });

  it("refuses a whole file of another kind, and one sealed with another key", async () => {
    const unreadable = { code: "SECURITY_DECRYPTION_FAILED" };
    await expect(through(createAudioDecryptor(KEY), Buffer.from("RIFF....WAVEfmt and so on and on"), [7])).rejects.toMatchObject(unreadable);
    const sealed = await through(createAudioEncryptor(Buffer.alloc(32, 8)), Buffer.from("sound"), [5]);
    await expect(through(createAudioDecryptor(KEY), sealed, [100])).rejects.toMatchObject(unreadable);
  });
});
