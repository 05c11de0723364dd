/** The audio store that the settings name: a directory, or a bucket of an object store. */
import { readFile } from "node:fs/promises";
import type { Config } from "../config/config-schema.js";
import { AppError } from "../core/errors.js";
import type { AudioStore } from "../storage/audio-store.js";
import { createFilesystemAudioStore } from "../storage/backends/filesystem-audio-store.js";
import { createS3AudioStore, type S3AudioStoreOptions } from "../storage/backends/s3-audio-store.js";
import { dataLayout } from "./paths.js";

export interface OpenAudioStoreOptions {
  /** Other processes write to it as well. */
  readonly isShared: boolean;
  /** Starts without an object store that can't be reached now; without this that is an error. */
  readonly onUnreachable?: (error: AppError) => void;
}

/** @throws AppError `STORAGE_UNAVAILABLE`, `CONFIG_INVALID` */
export async function openAudioStore(config: Config, { isShared, onUnreachable }: OpenAudioStoreOptions): Promise<AudioStore> {
  const { audio } = dataLayout(config);
  if (audio !== undefined) return createFilesystemAudioStore({ directory: audio, isShared });
  return createS3AudioStore({ ...(await s3Place(config)), ...(onUnreachable === undefined ? {} : { onUnreachable }) });
}

async function s3Place({ audioStore, s3 }: Config): Promise<S3AudioStoreOptions> {
  const [bucket = "", ...folders] = (audioStore.url ?? "").slice("s3://".length).split("/");
  const names = folders.filter((name) => name !== "");
  return {
    ...{ bucket, prefix: names.length === 0 ? "" : `${names.join("/")}/`, region: s3.region },
    isPathStyle: s3.isPathStyle ?? s3.endpoint !== undefined,
    ...(s3.endpoint === undefined ? {} : { endpoint: s3.endpoint }),
    accessKeyId: s3.accessKeyId ?? "",
    secretAccessKey: s3.secretAccessKey ?? (await readSecret(s3.secretAccessKeyFile)),
  };
}

async function readSecret(path = ""): Promise<string> {
  const secret = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("CONFIG_INVALID", "S3_SECRET_ACCESS_KEY_FILE can't be read; check the path and who may read it.", { cause });
  });
  if (secret.trim() === "") throw new AppError("CONFIG_INVALID", "S3_SECRET_ACCESS_KEY_FILE is empty; put the secret of the access key into it.");
  return secret.trim();
}
