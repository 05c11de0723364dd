/** What storage is to mean on every kind of database, as tests: src/storage/database.ts and every repository. */
import { afterAll, beforeAll, describe } from "vitest";
import type { StorageHarness } from "../support/storage-harness.js";
import { openStorageParts, type StorageParts } from "../support/storage-parts.js";
import { describeAnalysisStorage } from "./storage-contract-analyses.js";
import { describeBackup } from "./storage-contract-backup.js";
import { describeCallStorage } from "./storage-contract-calls.js";
import { describeFollowingStorage } from "./storage-contract-following.js";
import { describeJobStorage } from "./storage-contract-jobs.js";
import { describeMigrations } from "./storage-contract-migrations.js";
import { describeRecordStorage } from "./storage-contract-records.js";
import { describeRetention } from "./storage-contract-retention.js";
import { describeTextSearch } from "./storage-contract-search.js";
import { describeTransactions } from "./storage-contract-transactions.js";
import { describeSeveralWriters } from "./storage-contract-writers.js";

export interface StorageOfTest {
  readonly createDatabase: StorageHarness["createDatabase"];
  /** The repositories over a database of the test's own. */
  openParts(): Promise<StorageParts>;
  /** The same as two processes have them: each its own connections, one master key. */
  openTwice(): Promise<readonly [StorageParts, StorageParts]>;
}

export function describeStorageContract(name: string, start: () => Promise<StorageHarness>): void {
  describe(`storage contract: ${name}`, () => {
    let harness: StorageHarness;
    beforeAll(async () => {
      harness = await start();
    });
    afterAll(() => harness.stop());
    const createDatabase: StorageHarness["createDatabase"] = (options) => harness.createDatabase(options);
    const storage: StorageOfTest = {
      createDatabase,
      openParts: async () => openStorageParts((await createDatabase())()),
      async openTwice() {
        const open = await createDatabase();
        const first = openStorageParts(open());
        return [first, openStorageParts(open(), first.masterKey)];
      },
    };

    describeCallStorage(storage);
    describeAnalysisStorage(storage);
    describeFollowingStorage(storage);
    describeRecordStorage(storage);
    describeJobStorage(storage);
    describeRetention(storage);
    describeBackup(storage);
    describeTextSearch(storage);
    describeTransactions(storage);
    describeSeveralWriters(storage);
    describeMigrations(storage);
  });
}
