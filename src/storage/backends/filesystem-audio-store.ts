/** The audio store on a directory: one encrypted file a recording, named by our id, synced before it is visible. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.js";
import {
  AUDIO_BLOCK_BYTES,
  AUDIO_HEADER_BYTES,
  createAudioDecryptor,
  createAudioEncryptor,
  createAudioRangeDecryptor,
  locateAudioBlock,
} from "../../security/audio-cipher.js";
import { syncDirectory } from "../../security/synced-directory.js";
import type { AudioStore, ByteRange } from "../audio-store.js";

const SUFFIX = ".oca";
const PARTIAL_SUFFIX = ".part";

/** Creates the directory and removes what a crash left half-written; one process may hold a directory. */
export async function createFilesystemAudioStore(options: { readonly directory: string }): Promise<AudioStore> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) {
    if (name.endsWith(PARTIAL_SUFFIX)) await rm(join(directory, name), { force: true });
  }
  const pathOf = (audioKey: string): string => join(directory, `${checkKey(audioKey)}${SUFFIX}`);
  return {
    async write(audioKey, content, callKey) {
      const path = pathOf(audioKey);
      const partialPath = `${path}${PARTIAL_SUFFIX}`;
      let byteCount = 0;
      const counter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          byteCount += chunk.length;
          done(null, chunk);
        },
      });
      try {
        await pipeline(content, counter, createAudioEncryptor(callKey), createWriteStream(partialPath, { mode: 0o600, flags: "wx", flush: true }));
        await rename(partialPath, path);
        await syncDirectory(directory);
      } catch (error) {
        await rm(partialPath, { force: true });
        throw toStoreError(error);
      }
      return { byteCount };
    },
    async read(audioKey, callKey, range) {
      const path = pathOf(audioKey);
      const { size } = await stat(path).catch((cause: unknown) => {
        throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording is not in the audio store.", { cause });
      });
      const { decryptor, start } = range === undefined ? { decryptor: createAudioDecryptor(callKey), start: 0 } : await openRange(path, callKey, range);
      // The pipeline destroys both ends on any failure; the reader sees it as the decryptor's error.
      if (start < size) void pipeline(createReadStream(path, { start, end: endOfRange(range) }), decryptor).catch(() => {});
      else decryptor.end();
      return decryptor;
    },
    async remove(audioKey) {
      await rm(pathOf(audioKey), { force: true });
    },
    async list() {
      return (await readdir(directory)).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
    },
  };
}

async function openRange(path: string, callKey: Buffer, range: ByteRange): Promise<{ readonly decryptor: Transform; readonly start: number }> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(AUDIO_HEADER_BYTES);
    await file.read(header, 0, header.length, 0);
    return { decryptor: createAudioRangeDecryptor(callKey, header, range), start: locateAudioBlock(range.start).fileOffset };
  } finally {
    await file.close();
  }
}

/** Last byte of the file to read: that of the last block the range touches. */
function endOfRange(range: ByteRange | undefined): number {
  return range === undefined ? Number.POSITIVE_INFINITY : locateAudioBlock(range.end - 1 + AUDIO_BLOCK_BYTES).fileOffset - 1;
}

function checkKey(audioKey: string): string {
  if (!/^[0-9a-zA-Z-]{1,64}$/.test(audioKey)) throw new RangeError("audio key holds characters it must not");
  return audioKey;
}

function toStoreError(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("STORAGE_FULL", "The disk is full: free space in the data directory, then try again.", { retryable: true, cause: error });
}
