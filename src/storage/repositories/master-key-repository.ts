/** Which master key the stored data was made with, by its fingerprint. */
import type { AppDatabase } from "../database.js";

export interface MasterKeyRepository {
  /** Undefined before the first start. */
  findFingerprint(): Promise<string | undefined>;
  /** Stores the first fingerprint; a later call changes nothing. */
  saveFingerprint(fingerprint: string): Promise<void>;
}

/** Each method is its own transaction. */
export function createMasterKeyRepository({ database }: { readonly database: AppDatabase }): MasterKeyRepository {
  return {
    async findFingerprint() {
      return (await database.sql.selectFrom("master_key_check").select("fingerprint").where("id", "=", 1).executeTakeFirst())?.fingerprint;
    },
    async saveFingerprint(fingerprint) {
      await database.sql
        .insertInto("master_key_check")
        .values({ id: 1, fingerprint })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
    },
  };
}
