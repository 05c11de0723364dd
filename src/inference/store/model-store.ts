/**
 * Models on this machine: one directory each, with a manifest of every file's size and hash. A model appears whole, by
 * one rename, or not at all.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../../core/errors.js";
import { recognizeModel } from "./model-kind.js";
import { type Dtype, MODEL_ID, type ModelFile, type ModelManifest, modelManifestSchema, modelRevision } from "./model-manifest.js";

export interface InstalledModel extends ModelManifest {
  readonly directory: string;
  readonly revision: string;
}

/** What a person or a catalogue tells of a model, and its files do not. */
export type ModelFacts = Pick<ModelManifest, "origin" | "languages" | "instruction" | "licence">;

export interface ModelImport {
  /** Defaults to the directory's name. */
  readonly id?: string;
  readonly dtype?: Dtype;
  readonly facts?: ModelFacts;
  /** Takes the place of an installed model with this id. */
  readonly isReplacing?: boolean;
  /** Runs the model once before it becomes visible. @throws what makes it useless here */
  readonly tryOut?: (model: InstalledModel) => Promise<void>;
  readonly onProgress?: (path: string, doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

export type FileProblem = "missing" | "changed";

export interface ModelVerification {
  readonly id: string;
  readonly problems: readonly { readonly path: string; readonly problem: FileProblem }[];
}

export interface ModelStore {
  /** Newest first; directories that are no models are left out. */
  list(): Promise<readonly InstalledModel[]>;
  /** @throws AppError `MODEL_FILES_INVALID`, `MODEL_EXISTS`, `STORAGE_FULL`; nothing is left behind then */
  import(directory: string, options: ModelImport): Promise<InstalledModel>;
  /** Hashes every file again. @throws AppError `MODEL_NOT_INSTALLED` */
  verify(id: string): Promise<ModelVerification>;
  /** @throws AppError `MODEL_NOT_INSTALLED` */
  remove(id: string): Promise<void>;
}

const MANIFEST = "manifest.json";
/** Directories that begin so are on their way in or out, and no models. */
const PASSING = ".";
/** What a broken-off import left is cleared by the next one, once it is this old. */
const ABANDONED_AFTER_MS = 3_600_000;
/** What a pull has brought is kept until it is whole. */
const DOWNLOADS = `${PASSING}downloads`;
const SPARE_BYTES = 64 * 1024 * 1024;

/** @param root - need not exist yet. */
export function openModelStore(root: string): ModelStore {
  const find = async (id: string): Promise<InstalledModel> => {
    const found = MODEL_ID.test(id) ? await readModel(join(root, id)) : undefined;
    if (found === undefined) throw new AppError("MODEL_NOT_INSTALLED", "There is no installed model with this id; 'openchs-ai models list' shows them.");
    return found;
  };
  return {
    async list() {
      const names = await readdir(root).catch(() => []);
      const models = await Promise.all(names.filter((name) => !name.startsWith(PASSING)).map((name) => readModel(join(root, name))));
      return models.flatMap((model) => model ?? []).sort((one, other) => (one.importedAt < other.importedAt ? 1 : -1));
    },
    import: (directory, options) => importModel(root, directory, options),
    async verify(id) {
      const model = await find(id);
      const problems: { path: string; problem: FileProblem }[] = [];
      for (const { path, sha256 } of model.files) {
        const found = await hashFile(join(model.directory, path)).catch(() => undefined);
        if (found !== sha256) problems.push({ path, problem: found === undefined ? "missing" : "changed" });
      }
      return { id, problems };
    },
    async remove(id) {
      await removeDirectory(root, (await find(id)).directory);
    },
  };
}

async function readModel(directory: string): Promise<InstalledModel | undefined> {
  const text = await readFile(join(directory, MANIFEST), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const manifest = modelManifestSchema.parse(JSON.parse(text));
    return { ...manifest, directory, revision: modelRevision(manifest) };
  } catch {
    return undefined;
  }
}

async function importModel(root: string, source: string, options: ModelImport): Promise<InstalledModel> {
  const { signal } = options;
  const id = options.id ?? basename(resolve(source)).toLowerCase();
  if (!MODEL_ID.test(id)) {
    throw new AppError("MODEL_FILES_INVALID", "The model's id must be letters, digits, dots, dashes and underscores, at most 100; say another with --id.");
  }
  const target = join(root, id);
  if (options.isReplacing !== true && (await readModel(target)) !== undefined) throw exists();
  const kind = await recognizeModel(source, options.dtype);
  await mkdir(root, { recursive: true });
  await clearAbandoned(root);
  const sizes = await Promise.all(kind.files.map(async (path) => (await stat(join(source, path))).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  await refuseWithoutRoom(root, totalBytes);
  const incoming = join(root, `${PASSING}incoming-${randomUUID()}`);
  try {
    const files: ModelFile[] = [];
    let doneBytes = 0;
    for (const path of kind.files) {
      const copied = await copyHashed(join(source, path), join(incoming, path), signal, (bytes) => {
        doneBytes += bytes;
        options.onProgress?.(path, doneBytes, totalBytes);
      });
      files.push({ path, ...copied });
    }
    const { task, engine, dtype } = kind;
    const manifest: ModelManifest = {
      format: 1,
      id,
      task,
      engine,
      dtype,
      importedAt: new Date().toISOString(),
      files,
      ...options.facts,
    };
    await writeDurably(join(incoming, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await options.tryOut?.({ ...manifest, directory: incoming, revision: modelRevision(manifest) });
    signal.throwIfAborted();
    if (options.isReplacing === true) await removeDirectory(root, target);
    await rename(incoming, target).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOTEMPTY" || error.code === "EEXIST" ? exists() : error;
    });
    return { ...manifest, directory: target, revision: modelRevision(manifest) };
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

function exists(): AppError {
  return new AppError("MODEL_EXISTS", "A model with this id is installed; say --replace, or another --id.");
}

/** @throws AppError `STORAGE_FULL` */
export async function refuseWithoutRoom(root: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + SPARE_BYTES) return;
  const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
  throw new AppError(
    "STORAGE_FULL",
    `The model needs ${megabytes(neededBytes + SPARE_BYTES)} MB and ${megabytes(freeBytes)} MB are free; free space, or set MODELS_DIR to another disk.`,
  );
}

async function copyHashed(
  from: string,
  to: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  await mkdir(dirname(to), { recursive: true });
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  await pipeline(createReadStream(from), count, createWriteStream(to, { flush: true }), { signal });
  return { sizeBytes, sha256: hash.digest("hex") };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Out of sight by one rename, then away. */
async function removeDirectory(root: string, directory: string): Promise<void> {
  const leaving = join(root, `${PASSING}leaving-${randomUUID()}`);
  const hasMoved = await rename(directory, leaving).then(
    () => true,
    () => false,
  );
  if (hasMoved) await rm(leaving, { recursive: true, force: true });
}

async function clearAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(PASSING)) continue;
    const { mtimeMs } = await stat(join(root, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (!name.startsWith(DOWNLOADS) && Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(join(root, name), { recursive: true, force: true });
  }
}
