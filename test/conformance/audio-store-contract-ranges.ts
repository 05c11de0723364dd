/** Audio store contract: reading a part of a recording, which may begin and end anywhere in its encrypted blocks. */
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ByteRange } from "../../src/storage/audio-store.js";
import { BLOCK, HEADER_BYTES, inPieces, KEY, pseudoRandomBytes, STORED_BLOCK_BYTES } from "../support/stored-audio.js";
import type { AudioStoreHarness } from "./audio-store-contract.js";

type HarnessOfTest = () => AudioStoreHarness;

const callKey = randomBytes(32);
const unreadable = { code: "SECURITY_DECRYPTION_FAILED" };

async function readRange({ store }: AudioStoreHarness, range: ByteRange, key = callKey): Promise<Buffer> {
  return buffer(await store.read(KEY, key, range));
}

async function stored(harness: AudioStoreHarness, byteCount: number): Promise<Buffer> {
  const plain = pseudoRandomBytes(byteCount);
  await harness.store.write(KEY, inPieces(plain), callKey);
  return plain;
}

/** Any place, and more often one near the edge of a block, where mistakes would be. */
function places(byteCount: number): fc.Arbitrary<number> {
  const edges = Array.from({ length: Math.ceil(byteCount / BLOCK) + 1 }, (_, index) => index * BLOCK);
  const nearEdge = fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 })).map(([edge, off]) => Math.min(byteCount, Math.max(0, edge + off)));
  return fc.oneof(fc.nat(byteCount), nearEdge);
}

export function describeAudioStoreRanges(harness: HarnessOfTest): void {
  describe("reading a range", () => {
    describeWhatIsRead(harness);
    describeWhatIsNoticed(harness);
  });
}

function describeWhatIsRead(harness: HarnessOfTest): void {
  it.each([2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + 777])("gives any range of a recording of %i bytes as it was", async (byteCount) => {
    const plain = await stored(harness(), byteCount);
    const ranges = fc
      .tuple(places(byteCount), places(byteCount))
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
    await fc.assert(
      fc.asyncProperty(ranges, async (range) => {
        const read = await readRange(harness(), range);
        expect(read.length).toBe(range.end - range.start);
        expect(read.equals(plain.subarray(range.start, range.end))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("gives of a range past the end what there is", async () => {
    const byteCount = 2 * BLOCK + 10;
    const plain = await stored(harness(), byteCount);
    for (const start of [0, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, byteCount - 1])
      for (const end of [byteCount, byteCount + 1, byteCount + 5 * BLOCK, 17_179_869_184])
        expect((await readRange(harness(), { start, end })).equals(plain.subarray(start)), `${start} to ${end}`).toBe(true);
  });

  it("gives of a range with no end in sight what there is", async () => {
    const plain = await stored(harness(), BLOCK + 10);
    const read = await readRange(harness(), { start: BLOCK - 5, end: Number.MAX_SAFE_INTEGER });
    expect(read.equals(plain.subarray(BLOCK - 5))).toBe(true);
  });

  it.each([1_000, BLOCK, 2 * BLOCK, 2 * BLOCK + 10])("gives nothing of a range that begins at or after the end of %i bytes", async (byteCount) => {
    await stored(harness(), byteCount);
    for (const start of [byteCount, byteCount + 1, byteCount + BLOCK, byteCount + 10 * BLOCK])
      expect(await readRange(harness(), { start, end: start + 100 }), `from ${start}`).toHaveLength(0);
  });

  it("gives nothing of a range that is empty, or of a recording that is", async () => {
    await stored(harness(), 3 * BLOCK);
    for (const at of [0, 1, BLOCK, 2 * BLOCK + 5]) expect(await readRange(harness(), { start: at, end: at })).toHaveLength(0);
    await harness().store.remove(KEY);
    await stored(harness(), 0);
    expect(await readRange(harness(), { start: 0, end: 10 })).toHaveLength(0);
  });

  it("gives the same to many who read different ranges at once", async () => {
    const plain = await stored(harness(), 5 * BLOCK);
    const ranges = Array.from({ length: 30 }, (_, index) => ({ start: index * 9_001, end: index * 9_001 + 60_000 }));
    const parts = await Promise.all(ranges.map((range) => readRange(harness(), range)));
    expect(parts.map((part, index) => part.equals(plain.subarray(ranges[index]?.start, ranges[index]?.end)))).toEqual(ranges.map(() => true));
  });

  it("says that there is no recording to read a range of", async () => {
    await expect(readRange(harness(), { start: 0, end: 1 })).rejects.toMatchObject({ code: "AUDIO_FILE_NOT_FOUND" });
  });

  it("lets a reader go away in the middle of a range", async () => {
    const plain = await stored(harness(), 5 * BLOCK);
    for (let round = 0; round < 20; round++) {
      const stream = await harness().store.read(KEY, callKey, { start: 10, end: 5 * BLOCK });
      await new Promise((resolve) => stream.once("data", resolve));
      stream.on("error", () => {}).destroy();
    }
    expect((await readRange(harness(), { start: 5, end: 50 })).equals(plain.subarray(5, 50))).toBe(true);
  });
}

function describeWhatIsNoticed(harness: HarnessOfTest): void {
  const flipped = (bytes: Buffer, offset: number): Buffer => {
    const changed = Buffer.from(bytes);
    changed[offset] = (changed[offset] ?? 0) ^ 0x10;
    return changed;
  };
  const blockAt = (index: number): number => HEADER_BYTES + index * STORED_BLOCK_BYTES;

  it("fails when a block within the range was changed, wherever in the block", async () => {
    await stored(harness(), 4 * BLOCK);
    const whole = await harness().readStored(KEY);
    expect(whole).toHaveLength(HEADER_BYTES + 4 * STORED_BLOCK_BYTES);
    // Its length, its first and last byte, its tag.
    for (const offset of [0, 4, 4 + BLOCK - 1, 4 + BLOCK, STORED_BLOCK_BYTES - 1]) {
      await harness().writeStored(KEY, flipped(whole, blockAt(2) + offset));
      for (const range of [
        { start: 2 * BLOCK, end: 2 * BLOCK + 1 },
        { start: 3 * BLOCK - 1, end: 3 * BLOCK },
        { start: 0, end: 4 * BLOCK },
        { start: 2 * BLOCK - 5, end: 2 * BLOCK + 5 },
      ])
        await expect(readRange(harness(), range), `${offset} for ${range.start} to ${range.end}`).rejects.toMatchObject(unreadable);
    }
  });

  it("fails when the head of the recording was changed", async () => {
    await stored(harness(), 3 * BLOCK);
    const whole = await harness().readStored(KEY);
    for (const offset of [0, 3, 4, HEADER_BYTES - 1]) {
      await harness().writeStored(KEY, flipped(whole, offset));
      for (const start of [0, BLOCK, 2 * BLOCK + 3])
        await expect(readRange(harness(), { start, end: start + 10 }), `${offset} from ${start}`).rejects.toMatchObject(unreadable);
    }
  });

  it("fails under another call's key", async () => {
    await stored(harness(), 3 * BLOCK);
    for (const start of [0, BLOCK + 1, 3 * BLOCK - 1])
      await expect(readRange(harness(), { start, end: start + 1 }, randomBytes(32))).rejects.toMatchObject(unreadable);
  });

  it("fails when the blocks of the range changed places with others", async () => {
    await stored(harness(), 4 * BLOCK);
    const whole = await harness().readStored(KEY);
    const block = (index: number): Buffer => whole.subarray(blockAt(index), blockAt(index + 1));
    await harness().writeStored(KEY, Buffer.concat([whole.subarray(0, HEADER_BYTES), block(0), block(2), block(1), block(3)]));
    for (const start of [BLOCK, 2 * BLOCK + 7]) await expect(readRange(harness(), { start, end: start + 10 })).rejects.toMatchObject(unreadable);
  });

  it("fails when the recording was cut short within the range", async () => {
    await stored(harness(), 4 * BLOCK);
    const whole = await harness().readStored(KEY);
    for (const length of [blockAt(3), blockAt(3) + 2, blockAt(3) + 100, blockAt(4) - 1]) {
      await harness().writeStored(KEY, whole.subarray(0, length));
      await expect(readRange(harness(), { start: 2 * BLOCK, end: 4 * BLOCK }), `cut to ${length}`).rejects.toMatchObject(unreadable);
      await expect(readRange(harness(), { start: 3 * BLOCK + 1, end: 3 * BLOCK + 2 }), `cut to ${length}`).rejects.toMatchObject(unreadable);
    }
  });
}
