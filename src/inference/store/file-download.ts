/** One file of the hub, brought here whole and right: it goes on where it broke off, and is hashed before it counts. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../core/errors.js";
import type { HubClient, HubFile } from "./hub-client.js";

export interface FileDownload {
  readonly hub: HubClient;
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Where it shall lie; beside it, while it is on its way, `<target>.part`. */
  readonly target: string;
  /** Bytes that are here, of `file.sizeBytes`; may go down when it begins anew. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
  /** Before the second attempt; doubles each time. */
  readonly firstDelayMs: number;
}

const ATTEMPTS = 6;
/** Attempts that brought bytes do not count: a bad line that goes on and on gets there. */
const MIN_PROGRESS_BYTES = 65_536;

/** Does nothing for a file that is here already. @throws AppError `MODEL_HUB_UNREACHABLE`, `MODEL_HUB_REFUSED`, `MODEL_DOWNLOAD_CORRUPT` */
export async function downloadFile(download: FileDownload): Promise<void> {
  const { file, target, onProgress, signal, firstDelayMs } = download;
  if (await isRight(target, file)) {
    onProgress(file.sizeBytes);
    return;
  }
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.part`;
  let delayMs = firstDelayMs;
  for (let attempt = 1; ; ) {
    const before = await sizeOf(part);
    try {
      await fetchRest(download, part);
      break;
    } catch (error) {
      signal.throwIfAborted();
      const hasMoved = (await sizeOf(part)) - before >= MIN_PROGRESS_BYTES;
      if (!(error instanceof AppError && error.retryable) || (!hasMoved && attempt === ATTEMPTS)) throw error;
      attempt = hasMoved ? 1 : attempt + 1;
      delayMs = hasMoved ? firstDelayMs : delayMs;
      await wait(delayMs, undefined, { signal });
      delayMs *= 2;
    }
  }
  if (!(await isRight(part, file))) {
    await rm(part, { force: true });
    throw new AppError(
      "MODEL_DOWNLOAD_CORRUPT",
      `${file.path} came with another content than the hub promises; nothing of it was kept. Try again, or use another mirror.`,
    );
  }
  await rename(part, target);
}

async function fetchRest({ hub, repository, commit, file, onProgress, signal }: FileDownload, part: string): Promise<void> {
  const here = await sizeOf(part);
  if (here === file.sizeBytes) return;
  const { start, bytes } = await hub.open({ repository, commit, path: file.path }, here < file.sizeBytes ? here : 0, signal);
  const output = await open(part, start === 0 ? "w" : "r+");
  let at = start;
  try {
    onProgress(at);
    for await (const chunk of bytes) {
      if (at + chunk.length > file.sizeBytes)
        throw new AppError("MODEL_DOWNLOAD_CORRUPT", `${file.path} is longer than the hub promises; try again, or use another mirror.`);
      await output.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onProgress(at);
    }
    await output.sync();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    throw cutOff(file);
  } finally {
    await output.close();
  }
  if (at < file.sizeBytes) throw cutOff(file);
}

function cutOff({ path }: HubFile): AppError {
  return new AppError("MODEL_HUB_UNREACHABLE", `The download of ${path} broke off again and again; what came is kept, so try again later.`, {
    retryable: true,
  });
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size;
}

async function isRight(path: string, { sizeBytes, hash }: HubFile): Promise<boolean> {
  if ((await stat(path).catch(() => undefined))?.size !== sizeBytes) return false;
  const hashing: Hash = hash.kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path)) hashing.update(chunk as Buffer);
  return hashing.digest("hex") === hash.hex;
}
