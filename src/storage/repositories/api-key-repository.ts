/** API keys: only their hashes are stored. */
import type { ApiKeyLookup, StoredApiKey } from "../../security/authentication.js";
import type { UserRole } from "../../security/permissions.js";
import type { AppDatabase } from "../database.js";

export interface ApiKeyInfo {
  readonly keyId: string;
  readonly role: UserRole;
  readonly label: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}

export interface ApiKeyRepository extends ApiKeyLookup {
  insertKey(key: ApiKeyInfo & { readonly secretHash: string }): Promise<void>;
  listKeys(): Promise<readonly ApiKeyInfo[]>;
  /** False when there is no such active key. */
  revokeKey(keyId: string, atMs: number): Promise<boolean>;
}

/** Each method is its own transaction. */
export function createApiKeyRepository(options: { readonly database: AppDatabase }): ApiKeyRepository {
  const { sql } = options.database;
  return {
    async findKey(keyId): Promise<StoredApiKey | undefined> {
      const row = await sql.selectFrom("api_key").selectAll().where("key_id", "=", keyId).executeTakeFirst();
      if (row === undefined) return undefined;
      return { keyId: row.key_id, secretHash: row.secret_hash, role: row.role as UserRole, revokedAtMs: row.revoked_at_ms };
    },
    async insertKey(key) {
      await sql
        .insertInto("api_key")
        .values({
          key_id: key.keyId,
          secret_hash: key.secretHash,
          role: key.role,
          label: key.label,
          created_at_ms: key.createdAtMs,
          revoked_at_ms: key.revokedAtMs,
        })
        .execute();
    },
    async listKeys() {
      const rows = await sql.selectFrom("api_key").selectAll().orderBy("created_at_ms").execute();
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
