/**
 * Models in one file, to carry on a disk to where there is no network: a tar whose first entry says what every other must
 * hash to, and whose second is a signature over it.
 */
import { createHash, type KeyObject } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header, pack } from "tar-stream";
import { z } from "zod";
import { AppError } from "../../core/errors.js";
import { checkSignature, signBytes } from "./bundle-signature.js";
import { type ModelManifest, modelManifestSchema } from "./model-manifest.js";
import { type InstalledModel, refuseWithoutRoom } from "./model-store.js";

const CONTENTS = "bundle.json";
const SIGNATURE = "bundle.sig";
/** No list of models is longer. */
const MAX_CONTENTS_BYTES = 16 * 1024 * 1024;

const contentsSchema = z.strictObject({ format: z.literal(1), models: z.array(modelManifestSchema).min(1).max(1_000) });

export interface BundleOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (path: string, doneBytes: number, totalBytes: number) => void;
}

/** @param path - appears whole or not at all. @throws AppError `STORAGE_FULL`, `MODEL_FILES_INVALID` */
export async function writeBundle(path: string, models: readonly InstalledModel[], key: KeyObject, { signal, onProgress }: BundleOptions): Promise<void> {
  const manifests = models.map((model) => modelManifestSchema.parse(model));
  const contents = Buffer.from(JSON.stringify({ format: 1, models: manifests }));
  const totalBytes = sizeOf(manifests);
  await refuseWithoutRoom(dirname(path), totalBytes);
  const incoming = `${path}.incomplete`;
  const archive = pack();
  archive.entry({ name: CONTENTS }, contents);
  archive.entry({ name: SIGNATURE }, signBytes(contents, key));
  const written = pipeline(archive, createWriteStream(incoming, { flush: true }), { signal });
  try {
    let doneBytes = 0;
    for (const { id, directory, files } of models) {
      for (const file of files) {
        const entry = archive.entry({ name: `${id}/${file.path}`, size: file.sizeBytes });
        const hash = createHash("sha256");
        const source = createReadStream(join(directory, file.path));
        const counted = through((chunk) => {
          hash.update(chunk);
          doneBytes += chunk.length;
          onProgress?.(`${id}/${file.path}`, doneBytes, totalBytes);
        });
        await Promise.race([pipeline(source, counted, entry, { signal }), written]);
        if (hash.digest("hex") !== file.sha256)
          throw new AppError("MODEL_FILES_INVALID", `${id} is not what was installed; 'openchs-ai models verify' says more.`);
      }
    }
    archive.finalize();
    await written;
    await rename(incoming, path);
  } catch (error) {
    archive.destroy();
    await written.catch(() => {});
    await rm(incoming, { force: true });
    signal.throwIfAborted();
    throw error instanceof AppError
      ? error
      : new AppError("MODEL_FILES_INVALID", "The bundle could not be written; check the path, the disk and 'openchs-ai models verify'.");
  }
}

/** A model of a bundle, unpacked. */
export interface UnpackedModel {
  readonly manifest: ModelManifest;
  readonly directory: string;
}

/**
 * @param into - a directory of its own, which the caller removes, also after an error
 * @param signedBy - fingerprint of the maker
 * @throws AppError `MODEL_BUNDLE_UNTRUSTED`, `MODEL_FILES_INVALID`, `STORAGE_FULL`
 */
export async function readBundle(path: string, into: string, signedBy: string | undefined, options: BundleOptions): Promise<readonly UnpackedModel[]> {
  const { signal } = options;
  const archive = extract();
  const unpacked = unpackAll(archive as unknown as AsyncIterable<BundleEntry>, into, signedBy, options);
  const read = pipeline(createReadStream(path), archive, { signal });
  try {
    // A file that ends too soon is noticed by whoever reads it, while the other waits for more.
    return await Promise.race([unpacked, read.then(() => unpacked)]);
  } catch (error) {
    archive.destroy();
    await Promise.allSettled([read]);
    signal.throwIfAborted();
    throw error instanceof AppError ? error : invalid("it is broken, or no bundle");
  }
}

/** As tar-stream gives it. */
type BundleEntry = Readable & { readonly header: Header };

async function unpackAll(
  archive: AsyncIterable<BundleEntry>,
  into: string,
  signedBy: string | undefined,
  { signal, onProgress }: BundleOptions,
): Promise<readonly UnpackedModel[]> {
  const waiting = new Map<string, { readonly sizeBytes: number; readonly sha256: string }>();
  let manifests: readonly ModelManifest[] = [];
  let contents: Buffer | undefined;
  let doneBytes = 0;
  for await (const entry of archive) {
    const { name, type } = entry.header;
    if (contents === undefined) {
      if (name !== CONTENTS) throw invalid("it does not begin with its contents");
      contents = await readSmall(entry);
    } else if (manifests.length === 0) {
      if (name !== SIGNATURE) throw invalid("it has no signature");
      checkSignature(contents, await readSmall(entry), signedBy);
      manifests = parseContents(contents);
      for (const { id, files } of manifests) for (const { path: file, ...facts } of files) waiting.set(`${id}/${file}`, facts);
      await mkdir(into, { recursive: true });
      // Once as it is unpacked, once as it is installed.
      await refuseWithoutRoom(into, 2 * sizeOf(manifests));
    } else {
      const expected = waiting.get(name);
      if (expected === undefined || type !== "file") throw invalid("it has a file that its contents do not name");
      await unpack(entry, join(into, name), expected, signal);
      waiting.delete(name);
      doneBytes += expected.sizeBytes;
      onProgress?.(name, doneBytes, sizeOf(manifests));
    }
  }
  if (manifests.length === 0 || waiting.size > 0) throw invalid("it is cut off");
  return manifests.map((manifest) => ({ manifest, directory: join(into, manifest.id) }));
}

async function unpack(entry: Readable, target: string, expected: { readonly sizeBytes: number; readonly sha256: string }, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash("sha256");
  await pipeline(
    entry,
    through((chunk) => hash.update(chunk)),
    createWriteStream(target),
    { signal },
  );
  const { size } = await stat(target);
  if (size !== expected.sizeBytes || hash.digest("hex") !== expected.sha256) throw invalid("a file in it is not what its contents say");
}

function parseContents(bytes: Buffer): readonly ModelManifest[] {
  try {
    return contentsSchema.parse(JSON.parse(bytes.toString("utf8"))).models;
  } catch {
    throw invalid("its contents are not of a form that this version reads");
  }
}

async function readSmall(entry: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of entry as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_CONTENTS_BYTES) throw invalid("its contents are longer than any");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function through(look: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      look(chunk);
      done(null, chunk);
    },
  });
}

function sizeOf(manifests: readonly ModelManifest[]): number {
  return manifests.flatMap(({ files }) => files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function invalid(what: string): AppError {
  return new AppError("MODEL_FILES_INVALID", `The bundle can't be used: ${what}. Nothing of it was installed.`);
}
