/** The audio store contract (src/storage/audio-store.ts) as tests; every backend runs all of it. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AudioStore } from "../../src/storage/audio-store.js";
import { BLOCK, inPieces, KEY, pseudoRandomBytes } from "../support/stored-audio.js";
import { describeAudioStoreRanges } from "./audio-store-contract-ranges.js";

export interface AudioStoreHarness {
  readonly store: AudioStore;
  /** What is stored under a key, as it lies there. */
  readStored(audioKey: string): Promise<Buffer>;
  writeStored(audioKey: string, bytes: Buffer): Promise<void>;
  /** Everything the store keeps, half-written things too. */
  countStored(): Promise<number>;
  close(): Promise<void>;
}

/** Reads to the end; the rejection is the stream's or the call's. */
async function readAll(store: AudioStore, audioKey: string, callKey: Buffer): Promise<Buffer> {
  return buffer(await store.read(audioKey, callKey));
}

export function describeAudioStoreContract(name: string, createHarness: () => Promise<AudioStoreHarness>): void {
  describe(`audio store contract: ${name}`, () => {
    let harness: AudioStoreHarness;
    const callKey = randomBytes(32);
    const unreadable = { code: "SECURITY_DECRYPTION_FAILED" };
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.close());

    it.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 1_000_000])("gives back a recording of %i bytes as it was", async (length) => {
      const { store } = harness;
      const plain = pseudoRandomBytes(length);
      expect(await store.write(KEY, inPieces(plain), callKey)).toEqual({ byteCount: length });
      const read = await readAll(store, KEY, callKey);
      expect(read.length).toBe(length);
      expect(read.equals(plain)).toBe(true);
      expect(await store.list()).toEqual([KEY]);
    });

    it("is copied as it lies there, into another place of it, over what was there", async () => {
      const { store } = harness;
      const plain = pseudoRandomBytes(2 * BLOCK + 5);
      await store.write(KEY, inPieces(plain), callKey);
      const sealed = await buffer(await store.readSealed(KEY));
      expect(sealed.equals(await harness.readStored(KEY))).toBe(true);
      await store.write("copy", inPieces(pseudoRandomBytes(10)), callKey);
      await store.writeSealed("copy", inPieces(sealed));
      expect((await readAll(store, "copy", callKey)).equals(plain)).toBe(true);
      await expect(store.readSealed("nothing")).rejects.toMatchObject({ code: "AUDIO_FILE_NOT_FOUND" });
    });

    it("leaves nothing of a copy that broke off, and what was there as it was", async () => {
      const { store } = harness;
      const plain = pseudoRandomBytes(100);
      await store.write(KEY, inPieces(plain), callKey);
      const breaking = Readable.from(
        (async function* () {
          yield Buffer.alloc(10);
          throw new Error("broke off");
        })(),
      );
      await expect(store.writeSealed(KEY, breaking)).rejects.toThrow("broke off");
      expect([(await readAll(store, KEY, callKey)).equals(plain), await harness.countStored()]).toEqual([true, 1]);
    });

    it("keeps recordings apart", async () => {
      const { store } = harness;
      const otherKey = randomBytes(32);
      await Promise.all([store.write("first", inPieces(Buffer.from("one")), callKey), store.write("second", inPieces(Buffer.from("two")), otherKey)]);
      expect((await readAll(store, "first", callKey)).toString()).toBe("one");
      expect((await readAll(store, "second", otherKey)).toString()).toBe("two");
      expect([...(await store.list())].sort()).toEqual(["first", "second"]);
    });

    it("does not open a recording with another call's key", async () => {
      await harness.store.write(KEY, inPieces(pseudoRandomBytes(1_000)), callKey);
      await expect(readAll(harness.store, KEY, randomBytes(32))).rejects.toMatchObject(unreadable);
    });

    it("notices a recording cut short anywhere", async () => {
      const plain = pseudoRandomBytes(2 * BLOCK + 100);
      await harness.store.write(KEY, inPieces(plain), callKey);
      const whole = await harness.readStored(KEY);
      // Within the head, at its end, within a block's length, at both block ends, before the last tag's end.
      const block = 4 + BLOCK + 16;
      for (const length of [0, 1, 4, 19, 20, 22, 24, 1_000, 20 + block, 20 + 2 * block, whole.length - 17, whole.length - 1]) {
        await harness.writeStored(KEY, whole.subarray(0, length));
        await expect(readAll(harness.store, KEY, callKey), `cut to ${length} bytes`).rejects.toMatchObject(unreadable);
      }
      await harness.writeStored(KEY, whole);
      expect((await readAll(harness.store, KEY, callKey)).equals(plain)).toBe(true);
    });

    it("notices bytes added to a recording", async () => {
      await harness.store.write(KEY, inPieces(pseudoRandomBytes(500)), callKey);
      const whole = await harness.readStored(KEY);
      await harness.writeStored(KEY, Buffer.concat([whole, Buffer.from([0])]));
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject(unreadable);
      await harness.writeStored(KEY, Buffer.concat([whole, whole.subarray(20)]));
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject(unreadable);
    });

    it("notices one flipped bit anywhere", async () => {
      await harness.store.write(KEY, inPieces(pseudoRandomBytes(300)), callKey);
      const whole = await harness.readStored(KEY);
      for (let offset = 0; offset < whole.length; offset++) {
        const changed = Buffer.from(whole);
        changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
        await harness.writeStored(KEY, changed);
        await expect(readAll(harness.store, KEY, callKey), `flipped at ${offset}`).rejects.toMatchObject(unreadable);
      }
    });

    it("notices two blocks that changed places", async () => {
      await harness.store.write(KEY, inPieces(pseudoRandomBytes(3 * BLOCK)), callKey);
      const whole = await harness.readStored(KEY);
      const blockBytes = Math.floor((whole.length - 20) / 3);
      const part = (index: number): Buffer => whole.subarray(20 + index * blockBytes, 20 + (index + 1) * blockBytes);
      expect(20 + 3 * blockBytes).toBe(whole.length);
      await harness.writeStored(KEY, Buffer.concat([whole.subarray(0, 20), part(1), part(0), part(2)]));
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject(unreadable);
    });

    it("does not open one recording's bytes under another recording's key", async () => {
      const otherKey = randomBytes(32);
      await harness.store.write("first", inPieces(Buffer.from("one")), callKey);
      await harness.store.write("second", inPieces(Buffer.from("two")), otherKey);
      await harness.writeStored("second", await harness.readStored("first"));
      await expect(readAll(harness.store, "second", otherKey)).rejects.toMatchObject(unreadable);
    });

    it("says that a recording is not there", async () => {
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject({ code: "AUDIO_FILE_NOT_FOUND" });
    });

    it("leaves nothing behind when the source fails", async () => {
      const failing = Readable.from(
        (async function* () {
          yield pseudoRandomBytes(200_000);
          throw new RangeError("the caller hung up");
        })(),
        { objectMode: false },
      );
      await expect(harness.store.write(KEY, failing, callKey)).rejects.toThrow("the caller hung up");
      expect(await harness.store.list()).toEqual([]);
      expect(await harness.countStored()).toBe(0);
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject({ code: "AUDIO_FILE_NOT_FOUND" });
    });

    it("leaves nothing behind when the source is torn down before its end", async () => {
      const torn = new Readable({ read: () => {} });
      torn.push(pseudoRandomBytes(10_000));
      const writing = harness.store.write(KEY, torn, callKey);
      torn.once("data", () => torn.destroy());
      await expect(writing).rejects.toThrow();
      expect(await harness.countStored()).toBe(0);
    });

    it("stores no run of the plain bytes", async () => {
      const plain = Buffer.from("RIFF the caller said that her name is Distinctive ".repeat(5_000));
      await harness.store.write(KEY, inPieces(plain), callKey);
      const stored = await harness.readStored(KEY);
      expect(stored.length).toBeGreaterThan(plain.length);
      for (const word of ["RIFF", "caller", "Distinctive"]) expect(stored.includes(word), word).toBe(false);
    });

    it("stores the same recording as other bytes every time", async () => {
      const plain = pseudoRandomBytes(2_000);
      await harness.store.write("first", inPieces(plain), callKey);
      await harness.store.write("second", inPieces(plain), callKey);
      const [first, second] = [await harness.readStored("first"), await harness.readStored("second")];
      expect(first.includes(second.subarray(30, 62))).toBe(false);
    });

    describeAudioStoreRanges(() => harness);

    it("removes a recording, and does not mind when there is none", async () => {
      await harness.store.write(KEY, inPieces(Buffer.from("x")), callKey);
      await harness.store.remove(KEY);
      expect(await harness.store.list()).toEqual([]);
      expect(await harness.countStored()).toBe(0);
      await expect(harness.store.remove(KEY)).resolves.toBeUndefined();
      await expect(readAll(harness.store, KEY, callKey)).rejects.toMatchObject({ code: "AUDIO_FILE_NOT_FOUND" });
    });
  });
}
