/** The audio store on a directory: one encrypted file a recording, named by our id, synced before it is visible. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.js";
import { createAudioDecryptor, createAudioEncryptor } from "../../security/audio-cipher.js";
import { syncDirectory } from "../../security/synced-directory.js";
import type { AudioStore } from "../audio-store.js";

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
    async read(audioKey, callKey) {
      const path = pathOf(audioKey);
      await stat(path).catch((cause: unknown) => {
        throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording is not in the audio store.", { cause });
      });
      const decryptor = createAudioDecryptor(callKey);
      // The pipeline destroys both ends on any failure; the reader sees it as the decryptor's error.
      void pipeline(createReadStream(path), decryptor).catch(() => {});
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

function checkKey(audioKey: string): string {
  if (!/^[0-9a-zA-Z-]{1,64}$/.test(audioKey)) throw new RangeError("audio key holds characters it must not");
  return audioKey;
}

function toStoreError(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("STORAGE_FULL", "The disk is full: free space in the data directory, then try again.", { retryable: true, cause: error });
}
