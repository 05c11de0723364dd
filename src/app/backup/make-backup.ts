/** `backup`: database and recordings as they are, sealed, into a directory; beside a running service as well. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Config } from "../../config/config-schema.js";
import { AppError } from "../../core/errors.js";
import { type PassphraseSeal, sealWithPassphrase } from "../../security/sealing/passphrase-seal.js";
import { syncDirectory } from "../../security/synced-directory.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { type DumpedRow, type DumpedTable, readSnapshot } from "../../storage/backup/database-dump.js";
import { type AppDatabase, openDatabase } from "../../storage/database.js";
import { refuseMissingData } from "../administration.js";
import { packageVersion } from "../lifecycle.js";
import { openAudioStore } from "../open-audio-store.js";
import { openMasterKey } from "../open-master-key.js";
import { dataLayout } from "../paths.js";
import { AUDIO_DIRECTORY, AUDIO_LIST, type AudioEntry, type BackupContent, DATABASE_DIRECTORY, hashing, writeLines, writeManifest } from "./backup-files.js";

export interface BackupOptions {
  /** Must not exist; made whole or not at all. */
  readonly directory: string;
  /** Puts the master key in, sealed under it. */
  readonly passphrase?: string;
}

export interface BackupReport {
  readonly calls: number;
  readonly rows: number;
  readonly recordings: number;
  readonly audioBytes: number;
  /** Recordings that the database names and the audio store does not have. */
  readonly missing: number;
}

/** @throws AppError `CONFIG_INVALID`, `SECURITY_MASTER_KEY_INVALID`, `STORAGE_*` */
export async function makeBackup(config: Config, { directory, passphrase }: BackupOptions): Promise<BackupReport> {
  const layout = dataLayout(config);
  refuseMissingData(layout);
  const { masterKey } = await openMasterKey(layout);
  const partial = `${directory}.partial`;
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  await makeNew(partial, "An unfinished backup lies beside it, under the same name with .partial. Remove that, or name another directory.");
  // The place itself is taken at once, so that two backups never mix.
  await makeNew(directory, "The directory for the backup exists already. Name a new one; older backups are never written over.").catch(
    async (error: unknown) => {
      await rm(partial, { recursive: true, force: true });
      throw error;
    },
  );
  const database = openDatabase(layout.database);
  try {
    const seal = passphrase === undefined ? null : sealWithPassphrase(await readFile(layout.masterKey), passphrase);
    const audioStore = await openAudioStore(config, { isShared: true });
    const { content, report } = await copyAll({ database, audioStore, partial, seal, fingerprint: masterKey.fingerprint });
    await writeManifest(partial, content, masterKey);
    await rename(partial, directory);
    await syncDirectory(dirname(directory));
    return report;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
    throw error;
  } finally {
    await database.close();
  }
}

async function makeNew(path: string, whyNot: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new AppError("CONFIG_INVALID", whyNot, { cause });
  }
}

interface Copying {
  readonly database: AppDatabase;
  readonly audioStore: AudioStore;
  readonly partial: string;
  readonly seal: PassphraseSeal | null;
  readonly fingerprint: string;
}

async function copyAll({ database, audioStore, partial, seal, fingerprint }: Copying): Promise<{ content: BackupContent; report: BackupReport }> {
  await mkdir(join(partial, DATABASE_DIRECTORY), { mode: 0o700 });
  await mkdir(join(partial, AUDIO_DIRECTORY), { mode: 0o700 });
  const audioKeys = new Set<string>();
  const { tables, migrations } = await readSnapshot(database, async (dumped, applied) => {
    const files: BackupContent["tables"] = [];
    for (const table of dumped) {
      const path = `${DATABASE_DIRECTORY}/${table.name}.ndjson.gz`;
      files.push({ name: table.name, ...(await writeLines(partial, path, rowsOf(table, audioKeys))) });
    }
    return { tables: files, migrations: [...applied] };
  });
  const copied = { recordings: 0, audioBytes: 0, missing: 0 };
  const audio = await writeLines(partial, AUDIO_LIST, copyAudio({ database, audioStore, partial, audioKeys, copied }));
  const madeBy = await packageVersion();
  return {
    content: {
      ...{ format: 1, created_at: new Date().toISOString(), made_by: madeBy, master_key_fingerprint: fingerprint },
      ...{ migrations, tables, audio, sealed_master_key: seal },
    },
    report: { ...copied, calls: tables.find(({ name }) => name === "call")?.lines ?? 0, rows: tables.reduce((sum, { lines }) => sum + lines, 0) },
  };
}

async function* rowsOf(table: DumpedTable, audioKeys: Set<string>): AsyncIterable<DumpedRow> {
  for await (const page of table.rows()) {
    for (const row of page) {
      const { audio_key: audioKey } = row;
      if (typeof audioKey === "string") audioKeys.add(audioKey);
      yield row;
    }
  }
}

interface CopyingAudio extends Pick<Copying, "database" | "audioStore" | "partial"> {
  readonly audioKeys: ReadonlySet<string>;
  /** Counted up. */
  readonly copied: { recordings: number; audioBytes: number; missing: number };
}

async function* copyAudio({ database, audioStore, partial, audioKeys, copied }: CopyingAudio): AsyncIterable<AudioEntry> {
  for (const key of audioKeys) {
    const source = await audioStore.readSealed(key).catch((error: unknown) => {
      if (error instanceof AppError && error.code === "AUDIO_FILE_NOT_FOUND") return undefined;
      throw error;
    });
    if (source === undefined) {
      // Deleted since the database was read, or lost.
      const row = await database.sql.selectFrom("recording").select("recording_id").where("audio_key", "=", key).executeTakeFirst();
      if (row !== undefined) copied.missing++;
      continue;
    }
    const hash = createHash("sha256");
    let bytes = 0;
    const counting = hashing(hash, (count) => {
      bytes += count;
    });
    await pipeline(source, counting, createWriteStream(join(partial, AUDIO_DIRECTORY, key), { mode: 0o600, flush: true }));
    copied.recordings++;
    copied.audioBytes += bytes;
    yield { key, bytes, sha256: hash.digest("hex") };
  }
}
