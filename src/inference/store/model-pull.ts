/** A model from the hub: its settings first, which say what else it needs, then the rest side by side; then it is imported. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../core/errors.js";
import { downloadFile } from "./file-download.js";
import type { HubClient, HubFile } from "./hub-client.js";
import { recognizeFiles, TELLING_FILES } from "./model-kind.js";
import type { Dtype } from "./model-manifest.js";
import { type InstalledModel, type ModelFacts, type ModelImport, type ModelStore, refuseWithoutRoom } from "./model-store.js";

export interface ModelPull extends Pick<ModelImport, "tryOut" | "isReplacing" | "signal"> {
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** Its name here; defaults to the repository's name. */
  readonly id?: string;
  readonly dtype?: Dtype;
  readonly facts?: Omit<ModelFacts, "origin">;
  /** What is known of files from elsewhere: the hub must say the same. */
  readonly expected?: readonly ExpectedFile[];
  /** Of one file: bytes that are here, of how many. */
  readonly onProgress?: (path: string, doneBytes: number, sizeBytes: number) => void;
  /** Before a second attempt. Default 1,000. */
  readonly firstDelayMs?: number;
}

export interface ExpectedFile {
  readonly path: string;
  readonly sizeBytes?: number | undefined;
  readonly sha256?: string | undefined;
}

const FILES_AT_ONCE = 4;

/**
 * What was downloaded is kept until the model is installed, so that a pull that broke off goes on where it was.
 *
 * @param downloads - where files lie on their way; on the disk of the store.
 * @throws AppError `MODEL_HUB_UNREACHABLE`, `MODEL_HUB_REFUSED`, `MODEL_DOWNLOAD_CORRUPT`, and what an import throws
 */
export async function pullModel(
  { hub, store, downloads }: { readonly hub: HubClient; readonly store: ModelStore; readonly downloads: string },
  pull: ModelPull,
): Promise<InstalledModel> {
  const { repository, signal } = pull;
  const id = pull.id ?? (repository.split("/").at(-1) ?? "").toLowerCase();
  if (pull.isReplacing !== true && (await store.list()).some((model) => model.id === id)) {
    throw new AppError("MODEL_EXISTS", "A model with this id is installed; say --replace, or another --id.");
  }
  const { commit, files } = await hub.snapshot(repository, pull.revision, signal);
  refuseUnexpected(files, pull.expected ?? []);
  const directory = join(downloads, `${repository.replace("/", "--")}-${commit}`);
  const fetchFile = (file: HubFile): Promise<void> =>
    downloadFile({
      ...{ hub, repository, commit, file, signal, target: join(directory, file.path), firstDelayMs: pull.firstDelayMs ?? 1_000 },
      onProgress: (bytes) => pull.onProgress?.(file.path, bytes, file.sizeBytes),
    });
  const telling = files.filter(({ path }) => TELLING_FILES.includes(path));
  if (!telling.some(({ path }) => path === "config.json"))
    throw new AppError("MODEL_FILES_INVALID", "The repository has no config.json: it holds no model that this version can run.");
  await eachAtOnce(telling, FILES_AT_ONCE, fetchFile);
  const kind = await recognizeFiles(directory, new Set(files.map(({ path }) => path)), pull.dtype);
  const needed = files.filter(({ path }) => kind.files.includes(path));
  const totalBytes = needed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  // Once as they come, once as they are installed.
  await refuseWithoutRoom(downloads, 2 * totalBytes);
  await eachAtOnce(needed, FILES_AT_ONCE, fetchFile);
  const { tryOut, isReplacing } = pull;
  const model = await store.import(directory, {
    ...{ id, signal, dtype: kind.dtype, facts: { ...pull.facts, origin: { repository, commit } } },
    ...(tryOut === undefined ? {} : { tryOut }),
    ...(isReplacing === undefined ? {} : { isReplacing }),
  });
  await rm(directory, { recursive: true, force: true });
  return model;
}

/** @throws AppError `MODEL_DOWNLOAD_CORRUPT` before anything is downloaded */
function refuseUnexpected(files: readonly HubFile[], expected: readonly ExpectedFile[]): void {
  const other = expected.find(({ path, sizeBytes, sha256 }) => {
    const file = files.find((one) => one.path === path);
    const isOtherHash = sha256 !== undefined && file?.hash.kind === "sha256" && file.hash.hex !== sha256;
    return file === undefined || isOtherHash || (sizeBytes !== undefined && file.sizeBytes !== sizeBytes);
  });
  if (other === undefined) return;
  throw new AppError(
    "MODEL_DOWNLOAD_CORRUPT",
    `The hub's ${other.path} is not the one that the catalogue knows: another size or hash, or none at all. Pull it by its name owner/name only if you know why.`,
  );
}

/** The first failure stops those that have not begun, and is thrown when those that have are done. */
async function eachAtOnce<Item>(items: readonly Item[], limit: number, work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined && failures.length === 0; item = waiting.shift()) {
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  if (failures.length > 0) throw failures[0];
}
