/** Which master key the stored data was made with, by its fingerprint. */
import type { AppDatabase } from "../database.js";
import { insertIfAbsent } from "../portable-sql.js";

export interface MasterKeyRepository {
  /** Undefined before the first start. */
  findFingerprint(): Promise<string | undefined>;
  /** Stores the first fingerprint. @returns the one that stands: another process may have been first, with another key */
  saveFingerprint(fingerprint: string): Promise<string>;
}

/** Each method is its own transaction. */
export function createMasterKeyRepository({ database }: { readonly database: AppDatabase }): MasterKeyRepository {
  const findFingerprint = async (): Promise<string | undefined> =>
    (await database.sql.selectFrom("master_key_check").select("fingerprint").where("id", "=", 1).executeTakeFirst())?.fingerprint;
  return {
    findFingerprint,
    async saveFingerprint(fingerprint) {
      await insertIfAbsent(database, database.sql, { table: "master_key_check", key: ["id"], row: { id: 1, fingerprint } });
      return (await findFingerprint()) ?? fingerprint;
    },
  };
}
