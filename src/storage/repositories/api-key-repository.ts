/** API keys: only their hashes are stored. */
import type { ApiKeyLookup, StoredApiKey } from "../../security/authentication.js";
import type { UserRole } from "../../security/permissions.js";
import type { AppDatabase } from "../database.js";
import { lockRows } from "../portable-sql.js";
import { inRepeatedTransaction } from "../unit-of-work.js";

export interface ApiKeyInfo {
  readonly keyId: string;
  readonly role: UserRole;
  readonly label: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}

type NewKey = ApiKeyInfo & { readonly secretHash: string };

export interface ApiKeyRepository extends ApiKeyLookup {
  insertKey(key: NewKey): Promise<void>;
  /** Of several processes that start at once, one stores its key. @returns false when there is any key already */
  insertFirstKey(key: NewKey): Promise<boolean>;
  listKeys(): Promise<readonly ApiKeyInfo[]>;
  /** False when there is no such active key. */
  revokeKey(keyId: string, atMs: number): Promise<boolean>;
}

/** Each method is its own transaction. */
export function createApiKeyRepository({ database }: { readonly database: AppDatabase }): ApiKeyRepository {
  const { sql } = database;
  return {
    async findKey(keyId): Promise<StoredApiKey | undefined> {
      const row = await sql.selectFrom("api_key").selectAll().where("key_id", "=", keyId).executeTakeFirst();
      if (row === undefined) return undefined;
      return { keyId: row.key_id, secretHash: row.secret_hash, role: row.role as UserRole, revokedAtMs: row.revoked_at_ms };
    },
    async insertKey(key) {
      await sql.insertInto("api_key").values(toRow(key)).execute();
    },
    insertFirstKey: (key) =>
      inRepeatedTransaction(database, async (transaction) => {
        // No key is there that could be locked; the master key's fingerprint is, in every database that was opened with one.
        await lockRows(database, transaction.selectFrom("master_key_check").select("id")).execute();
        if ((await transaction.selectFrom("api_key").select("key_id").limit(1).executeTakeFirst()) !== undefined) return false;
        await transaction.insertInto("api_key").values(toRow(key)).execute();
        return true;
      }),
    async listKeys() {
      const rows = await sql.selectFrom("api_key").selectAll().orderBy("created_at_ms").orderBy("key_id").execute();
      return rows.map((row) => ({
        keyId: row.key_id,
        role: row.role as UserRole,
        label: row.label,
        createdAtMs: row.created_at_ms,
        revokedAtMs: row.revoked_at_ms,
      }));
    },
    async revokeKey(keyId, atMs) {
      const result = await sql
        .updateTable("api_key")
        .set({ revoked_at_ms: atMs })
        .where("key_id", "=", keyId)
        .where("revoked_at_ms", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
  };
}

function toRow({ keyId, secretHash, role, label, createdAtMs, revokedAtMs }: NewKey) {
  return { key_id: keyId, secret_hash: secretHash, role, label, created_at_ms: createdAtMs, revoked_at_ms: revokedAtMs };
}
