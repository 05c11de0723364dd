/** The audio store on an object store that speaks S3: one sealed object a recording, the same bytes as in a directory. */
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.js";
import { AUDIO_HEADER_BYTES, createAudioDecryptor, createAudioEncryptor, createAudioRangeDecryptor } from "../../security/audio-cipher.js";
import type { AudioStore, ByteRange } from "../audio-store.js";
import { countingBytes, decrypted } from "../sealed-audio.js";
import { checkAudioKey, isAudioKey, locateSealedRange } from "../sealed-range.js";
import { type FoundObject, openS3Objects, type S3Objects, type S3Place } from "./s3-objects.js";

const SUFFIX = ".oca";
/** Nobody uploads one recording for so long. */
const ABANDONED_AFTER_MS = 86_400_000;

export interface S3AudioStoreOptions extends S3Place {
  /** The store can't be reached now; what needs it fails until it can be. */
  readonly onUnreachable?: (error: AppError) => void;
}

/**
 * Looks at the bucket once. What uploads left half-done a day ago goes meanwhile.
 *
 * @throws AppError `STORAGE_UNAVAILABLE` when the bucket, the credentials or the region are wrong; also when the store
 *   does not answer and nobody wants to be told of that otherwise
 */
export async function createS3AudioStore({ onUnreachable, ...place }: S3AudioStoreOptions): Promise<AudioStore> {
  const objects = await openS3Objects(place);
  await objects.check().catch((error: unknown) => {
    if (!(error instanceof AppError) || !error.retryable || onUnreachable === undefined) throw error;
    onUnreachable(error);
  });
  // Some stores can't list uploads, and some keys may not: their owners have a rule for it.
  void objects.removeAbandonedUploads(Date.now() - ABANDONED_AFTER_MS).catch(() => {});
  return overObjects(objects);
}

function overObjects(objects: S3Objects): AudioStore {
  const nameOf = (audioKey: string): string => `${checkAudioKey(audioKey)}${SUFFIX}`;
  const find = async (name: string, place?: { readonly start: number; readonly end?: number }): Promise<FoundObject> => {
    const found = await objects.get(name, place);
    if (found === undefined) throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording is not in the audio store.");
    return found;
  };
  return {
    async write(audioKey, content, callKey) {
      const name = nameOf(audioKey);
      const { counter, byteCount } = countingBytes();
      const sealed = createAudioEncryptor(callKey);
      // Whichever end fails, the other is destroyed; who reads `sealed` hears of the source's failure.
      const sealing = pipeline(content, counter, sealed).catch(() => {});
      await objects.put(name, sealed).finally(() => sealing);
      return { byteCount: byteCount() };
    },
    async read(audioKey, callKey, range) {
      const name = nameOf(audioKey);
      if (range !== undefined) return readRange({ find: (place) => find(name, place), callKey, range });
      return decrypted((await find(name)).body, createAudioDecryptor(callKey));
    },
    readSealed: async (audioKey) => (await find(nameOf(audioKey))).body,
    writeSealed: async (audioKey, content) => objects.put(nameOf(audioKey), content),
    remove: async (audioKey) => objects.remove(nameOf(audioKey)),
    async list() {
      const names = (await objects.list()).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
      return names.filter(isAudioKey);
    },
  };
}

interface RangeRequest {
  readonly find: (place: { readonly start: number; readonly end?: number }) => Promise<FoundObject>;
  readonly callKey: Buffer;
  readonly range: ByteRange;
}

/** Two requests: the first gives the head and the object's size, the second the blocks. */
async function readRange({ find, callKey, range }: RangeRequest): Promise<Readable> {
  const head = await find({ start: 0, end: AUDIO_HEADER_BYTES - 1 });
  const found = await buffer(head.body);
  const header = Buffer.concat([found, Buffer.alloc(Math.max(0, AUDIO_HEADER_BYTES - found.length))]).subarray(0, AUDIO_HEADER_BYTES);
  if (range.end <= range.start) return Readable.from([]);
  const { blockNumber, place } = locateSealedRange(range, head.totalBytes);
  const decryptor = createAudioRangeDecryptor(callKey, header, { ...range, blockNumber });
  return decrypted((await find(place)).body, decryptor);
}
