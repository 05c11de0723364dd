/** The files of a backup: tables and the list of audio as compressed lines of JSON, each with its checksum in the manifest. */
import { createHash, createHmac } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { AppError } from "../../core/errors.js";
import type { MasterKey } from "../../security/master-key.js";

export const AUDIO_DIRECTORY = "audio";
export const DATABASE_DIRECTORY = "database";
export const AUDIO_LIST = "audio.ndjson.gz";
const MANIFEST = "manifest.json";

const file = z.object({ path: z.string().regex(/^[a-z_./-]+$/), lines: z.int().min(0), sha256: z.string() });
const contentSchema = z.object({
  format: z.literal(1),
  created_at: z.string(),
  made_by: z.string(),
  master_key_fingerprint: z.string(),
  migrations: z.array(z.string()),
  tables: z.array(file.extend({ name: z.string() })),
  audio: file,
  sealed_master_key: z.object({ kdf: z.literal("scrypt"), cost: z.int().min(2), salt: z.string(), sealed: z.string() }).nullable(),
});
const manifestSchema = z.object({ content: contentSchema, mac: z.string() });

export type BackupContent = z.infer<typeof contentSchema>;
export type BackupFile = z.infer<typeof file>;

/** A file of the audio store: its key, its stored bytes, and their SHA-256 in hex. */
export const audioEntrySchema = z.object({ key: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/), bytes: z.int(), sha256: z.string() });
export type AudioEntry = z.infer<typeof audioEntrySchema>;

/** Written last: a directory without it is no backup. */
export async function writeManifest(directory: string, content: BackupContent, masterKey: MasterKey): Promise<void> {
  const manifest = { content, mac: macOf(content, masterKey) };
  await writeFile(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
}

/** @returns what it says, and whether the owner of a master key wrote it. @throws AppError `STORAGE_BACKUP_INVALID` */
export async function readManifest(directory: string): Promise<{ readonly content: BackupContent; isGenuine(masterKey: MasterKey): boolean }> {
  const text = await readFile(join(directory, MANIFEST), "utf8").catch(() => {
    throw new AppError("STORAGE_BACKUP_INVALID", "This is no backup, or an unfinished one: there is no manifest.json in it.");
  });
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new AppError("STORAGE_BACKUP_INVALID", "The backup's manifest.json can't be read, or is of a newer version of openchs-ai.");
  const { content, mac } = parsed.data;
  return { content, isGenuine: (masterKey) => macOf(content, masterKey) === mac };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function macOf(content: BackupContent, masterKey: MasterKey): string {
  // Parsed, so that the fields stand in one order whoever made them.
  return createHmac("sha256", masterKey.derive("backup-manifest"))
    .update(JSON.stringify(contentSchema.parse(content)))
    .digest("hex");
}

/** Writes one value a line, compressed, for the service's user alone, and makes it durable. */
export async function writeLines(directory: string, path: string, values: AsyncIterable<unknown>): Promise<BackupFile> {
  let lines = 0;
  const hash = createHash("sha256");
  const encoded = async function* (): AsyncIterable<string> {
    for await (const value of values) {
      lines++;
      yield `${JSON.stringify(value)}\n`;
    }
  };
  const target = createWriteStream(join(directory, path), { mode: 0o600, flush: true });
  await pipeline(Readable.from(encoded()), createGzip(), hashing(hash), target);
  return { path, lines, sha256: hash.digest("hex") };
}

/** The values of a file that was checked. */
export async function* readLines(directory: string, { path }: BackupFile): AsyncIterable<unknown> {
  const plain = createReadStream(join(directory, path)).pipe(createGunzip());
  for await (const line of createInterface({ input: plain, crlfDelay: Number.POSITIVE_INFINITY })) yield JSON.parse(line) as unknown;
}

/** @throws AppError `STORAGE_BACKUP_INVALID` when it is not there or not as it was written */
export async function checkFile(directory: string, { path, sha256 }: BackupFile): Promise<void> {
  const hash = createHash("sha256");
  const isThere = await pipeline(createReadStream(join(directory, path)), hash).then(
    () => true,
    () => false,
  );
  if (!isThere || hash.digest("hex") !== sha256) {
    throw new AppError("STORAGE_BACKUP_INVALID", `The backup is not whole: ${path} is missing or was changed. Nothing was restored.`);
  }
}

/** Passes bytes on and counts them into a hash. */
export function hashing(hash: ReturnType<typeof createHash>, onBytes: (count: number) => void = () => {}): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}
