/** The audio store on a directory: one encrypted file a recording, named by our id, synced before it is visible. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.js";
import { AUDIO_HEADER_BYTES, createAudioDecryptor, createAudioEncryptor, createAudioRangeDecryptor } from "../../security/audio-cipher.js";
import { syncDirectory } from "../../security/synced-directory.js";
import type { AudioStore, ByteRange } from "../audio-store.js";
import { countingBytes, decrypted } from "../sealed-audio.js";
import { checkAudioKey, locateSealedRange } from "../sealed-range.js";

const SUFFIX = ".oca";
const PARTIAL_SUFFIX = ".part";

export interface FilesystemAudioStoreOptions {
  readonly directory: string;
  /** Other processes write to it as well: what is half-written may be theirs, unless it is old. */
  readonly isShared?: boolean;
}

/** In a shared directory, a partial file nobody wrote to for so long was left by a crash. */
const ABANDONED_AFTER_MS = 86_400_000;

/** Creates the directory and removes what a crash left half-written. */
export async function createFilesystemAudioStore({ directory, isShared = false }: FilesystemAudioStoreOptions): Promise<AudioStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (name.endsWith(PARTIAL_SUFFIX) && (!isShared || (await ageOf(path)) > ABANDONED_AFTER_MS)) await rm(path, { force: true });
  }
  const pathOf = (audioKey: string): string => join(directory, `${checkAudioKey(audioKey)}${SUFFIX}`);
  /** Visible when it is whole. */
  const store = async (audioKey: string, through: (file: Writable) => Promise<void>): Promise<void> => {
    const path = pathOf(audioKey);
    const partialPath = `${path}${PARTIAL_SUFFIX}`;
    const file = createWriteStream(partialPath, { mode: 0o600, flags: "wx", flush: true });
    try {
      await through(file);
      await rename(partialPath, path);
      await syncDirectory(directory);
    } catch (error) {
      // A failed pipeline ends before its file is closed, and may end before it is opened: removed too early, it would come back.
      if (!file.closed) await new Promise<void>((closed) => file.once("close", () => closed()));
      await rm(partialPath, { force: true });
      throw toStoreError(error);
    }
  };
  return {
    async write(audioKey, content, callKey) {
      const { counter, byteCount } = countingBytes();
      await store(audioKey, (file) => pipeline(content, counter, createAudioEncryptor(callKey), file));
      return { byteCount: byteCount() };
    },
    async read(audioKey, callKey, range) {
      const path = pathOf(audioKey);
      const size = await sizeOf(path);
      return range === undefined ? decrypted(createReadStream(path), createAudioDecryptor(callKey)) : readRange({ path, callKey, range, size });
    },
    async readSealed(audioKey) {
      await sizeOf(pathOf(audioKey));
      return createReadStream(pathOf(audioKey));
    },
    writeSealed: (audioKey, content) => store(audioKey, (file) => pipeline(content, file)),
    async remove(audioKey) {
      await rm(pathOf(audioKey), { force: true });
    },
    async list() {
      return (await readdir(directory)).filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw new AppError("AUDIO_FILE_NOT_FOUND", "The recording is not in the audio store.", { cause });
  });
  return size;
}

interface RangeRequest {
  readonly path: string;
  readonly callKey: Buffer;
  readonly range: ByteRange;
  readonly size: number;
}

async function readRange({ path, callKey, range, size }: RangeRequest): Promise<Readable> {
  if (range.end <= range.start) return Readable.from([]);
  const { blockNumber, place } = locateSealedRange(range, size);
  const decryptor = createAudioRangeDecryptor(callKey, await readHeader(path), { ...range, blockNumber });
  return decrypted(createReadStream(path, place), decryptor);
}

async function readHeader(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(AUDIO_HEADER_BYTES);
    await file.read(header, 0, header.length, 0);
    return header;
  } finally {
    await file.close();
  }
}

function toStoreError(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENOSPC") return error;
  return new AppError("STORAGE_FULL", "The disk is full: free space in the data directory, then try again.", { retryable: true, cause: error });
}

/** 0 for what has gone meanwhile. */
async function ageOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}
