/** `restore`: puts a backup into an empty place, on any kind of database, after looking whether it is whole. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Config } from "../../config/config-schema.js";
import { AppError } from "../../core/errors.js";
import { loadMasterKey, type MasterKey } from "../../security/master-key.js";
import { openWithPassphrase } from "../../security/sealing/passphrase-seal.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { DumpedRow } from "../../storage/backup/database-dump.js";
import { loadDatabase } from "../../storage/backup/database-load.js";
import { openDatabase } from "../../storage/database.js";
import { lockDirectory } from "../../storage/directory-lock.js";
import { createAuditRepository } from "../../storage/repositories/audit-repository.js";
import { openAudioStore } from "../open-audio-store.js";
import { type DataLayout, dataLayout } from "../paths.js";
import { AUDIO_DIRECTORY, audioEntrySchema, type BackupContent, checkFile, hashing, readLines, readManifest } from "./backup-files.js";

export interface RestoreOptions {
  readonly directory: string;
  /** Opens the master key in the backup, when there is none in its place. */
  readonly passphrase?: string;
}

export interface RestoreReport {
  readonly calls: number;
  readonly recordings: number;
  readonly auditRecords: number;
}

/**
 * The database comes last and at once: a restore that failed can be repeated.
 *
 * @throws AppError `STORAGE_BACKUP_INVALID`, `STORAGE_NOT_EMPTY`, `STORAGE_SCHEMA_NEWER`, `SECURITY_MASTER_KEY_INVALID`,
 *   `SECURITY_DECRYPTION_FAILED`, `CONFIG_DATA_DIRECTORY_IN_USE`, `AUDIT_CHAIN_BROKEN`
 */
export async function restoreBackup(config: Config, { directory, passphrase }: RestoreOptions): Promise<RestoreReport> {
  const layout = dataLayout(config);
  const { content, isGenuine } = await readManifest(directory);
  for (const file of [...content.tables, content.audio]) await checkFile(directory, file);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(layout.lock);
  try {
    const masterKey = await placeMasterKey(layout, content, passphrase);
    if (!isGenuine(masterKey)) throw new AppError("STORAGE_BACKUP_INVALID", "The backup's manifest.json was changed. Nothing was restored.");
    const database = openDatabase(layout.database);
    try {
      const recordings = await restoreAudio(await openAudioStore(config, { isShared: true }), directory, content);
      const tables = content.tables.map((table) => ({ name: table.name, rows: () => pagesOf(directory, table) }));
      await loadDatabase(database, content.migrations, tables);
      const { recordCount, brokenAtSeq } = await createAuditRepository({ database, key: masterKey.derive("audit-chain") }).verify();
      if (brokenAtSeq !== null) {
        throw new AppError("AUDIT_CHAIN_BROKEN", `Everything was restored, but the audit log in this backup is broken at record ${brokenAtSeq}.`);
      }
      return { calls: content.tables.find(({ name }) => name === "call")?.lines ?? 0, recordings, auditRecords: recordCount };
    } finally {
      await database.close();
    }
  } finally {
    await lock.release();
  }
}

/** The key in its place when it is the right one; otherwise that of the backup. */
async function placeMasterKey(layout: DataLayout, content: BackupContent, passphrase: string | undefined): Promise<MasterKey> {
  if (!existsSync(layout.masterKey)) {
    const { sealed_master_key: sealed } = content;
    if (sealed === null || passphrase === undefined) {
      const remedy = sealed === null ? "" : ", or name the file with the backup's passphrase with --passphrase-file";
      throw new AppError(
        "SECURITY_MASTER_KEY_INVALID",
        `There is no master key. Put the one the backup was made with in its place (MASTER_KEY_FILE)${remedy}.`,
      );
    }
    await writeFile(layout.masterKey, openWithPassphrase(sealed, passphrase), { mode: 0o600, flag: "wx", flush: true });
  }
  const masterKey = await loadMasterKey(layout.masterKey);
  if (masterKey.fingerprint === content.master_key_fingerprint) return masterKey;
  throw new AppError("SECURITY_MASTER_KEY_INVALID", "The master key in its place is not the one the backup was made with. Nothing was restored.");
}

async function restoreAudio(audioStore: AudioStore, directory: string, content: BackupContent): Promise<number> {
  let recordings = 0;
  for await (const line of readLines(directory, content.audio)) {
    const { key, sha256 } = audioEntrySchema.parse(line);
    const hash = createHash("sha256");
    const checked = hashing(hash);
    const copying = pipeline(createReadStream(join(directory, AUDIO_DIRECTORY, key)), checked);
    await Promise.all([copying, audioStore.writeSealed(key, checked)]).catch((cause: unknown) => {
      throw (cause as NodeJS.ErrnoException).code === "ENOENT" ? brokenAudio(cause) : cause;
    });
    if (hash.digest("hex") !== sha256) {
      await audioStore.remove(key);
      throw brokenAudio(undefined);
    }
    recordings++;
  }
  return recordings;
}

function brokenAudio(cause: unknown): AppError {
  return new AppError("STORAGE_BACKUP_INVALID", "The backup is not whole: a recording in it is missing or was changed. No call was restored.", { cause });
}

const PAGE_ROWS = 1_000;

async function* pagesOf(directory: string, table: BackupContent["tables"][number]): AsyncIterable<readonly DumpedRow[]> {
  let page: DumpedRow[] = [];
  for await (const row of readLines(directory, table)) {
    page.push(row as DumpedRow);
    if (page.length < PAGE_ROWS) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
