/**
 * The master key of a data directory: made on the very first start, and from then on the same one or none. A missing or
 * other key stops the start; a new one made in its place would hide that every stored call had become unreadable.
 */
import { existsSync } from "node:fs";
import { invalidMasterKey, loadMasterKey, loadOrCreateMasterKey, type MasterKey } from "../security/master-key.js";
import { openDatabase } from "../storage/database.js";
import { createMasterKeyRepository } from "../storage/repositories/master-key-repository.js";
import type { DataLayout } from "./paths.js";

/**
 * Brings the database up to date on the way.
 *
 * @returns `created` is true on the very first start.
 * @throws AppError `SECURITY_MASTER_KEY_INVALID`, `STORAGE_SCHEMA_NEWER`
 */
export async function openMasterKey(layout: DataLayout): Promise<{ readonly masterKey: MasterKey; readonly created: boolean }> {
  const database = openDatabase(layout.database);
  try {
    await database.migrate();
    const repository = createMasterKeyRepository({ database });
    const expected = await repository.findFingerprint();
    if (expected === undefined) {
      const opened = await loadOrCreateMasterKey(layout.masterKey);
      const standing = await repository.saveFingerprint(opened.masterKey.fingerprint);
      if (standing !== opened.masterKey.fingerprint) throw otherMasterKey();
      return opened;
    }
    if (!existsSync(layout.masterKey))
      throw invalidMasterKey("it is missing, and the stored calls were sealed with it. Restore it from your backup to its place");
    const masterKey = await loadMasterKey(layout.masterKey);
    if (masterKey.fingerprint !== expected) throw otherMasterKey();
    return { masterKey, created: false };
  } finally {
    await database.close();
  }
}

function otherMasterKey() {
  return invalidMasterKey("it is not the one the stored calls were sealed with. Restore the right one from your backup");
}
