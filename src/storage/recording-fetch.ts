/** Brings a recording out of the encrypted store into a private directory, where the programs that read it can. */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CONTAINERS, type Container } from "../audio/container.js";
import { AppError } from "../core/errors.js";
import type { AudioStore } from "./audio-store.js";

export interface RecordingFetch {
  readonly recording: { readonly audioKey: string; readonly container: string };
  readonly key: Buffer;
  /** Made when it is missing; the caller removes it. */
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

/** @throws AppError `AUDIO_FILE_NOT_FOUND`, `AUDIO_UNSUPPORTED_FORMAT`, `SECURITY_DECRYPTION_FAILED` */
export async function fetchRecording(
  audioStore: AudioStore,
  { recording, key, workDirectory, signal }: RecordingFetch,
): Promise<{ readonly path: string; readonly container: Container }> {
  const container = CONTAINERS.find((candidate) => candidate === recording.container);
  if (container === undefined) throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "The recording is in a format this version can't read.");
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  const path = join(workDirectory, "recording");
  const content = await audioStore.read(recording.audioKey, key);
  await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
  return { path, container };
}
