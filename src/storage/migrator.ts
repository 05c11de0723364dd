/** Brings the schema up to this program's version, under Kysely's lock; refuses a schema made by a newer program. */
import { type Kysely, type Migration, Migrator } from "kysely";
import { AppError } from "../core/errors.js";
import type { ColumnTypes } from "./dialects/column-types.js";
import * as createCalls from "./migrations/0001-create-calls.js";
import * as createJobs from "./migrations/0002-create-jobs.js";
import * as createSecurity from "./migrations/0003-create-security.js";
import * as createKeyCheck from "./migrations/0004-create-key-check.js";
import * as createCallEvents from "./migrations/0005-create-call-events.js";
import * as createBatches from "./migrations/0006-create-batches.js";
import * as createModelTasks from "./migrations/0007-create-model-tasks.js";
import * as createAgentFeedback from "./migrations/0008-create-agent-feedback.js";
import * as createLiveCalls from "./migrations/0009-create-live-calls.js";
import * as createWebhooks from "./migrations/0010-create-webhooks.js";
import * as countJobs from "./migrations/0011-count-jobs.js";
import * as ownLiveCalls from "./migrations/0012-own-live-calls.js";
import * as createDeletionReceipts from "./migrations/0013-create-deletion-receipts.js";
import * as createCallTexts from "./migrations/0014-create-call-texts.js";
import * as keepFirstQueue from "./migrations/0015-keep-first-queue.js";
import type { DatabaseSchema } from "./schema.js";

interface MigrationModule {
  up(db: Kysely<unknown>, types: ColumnTypes): Promise<void>;
}

const MIGRATIONS: Readonly<Record<string, MigrationModule>> = {
  "0001-create-calls": createCalls,
  "0002-create-jobs": createJobs,
  "0003-create-security": createSecurity,
  "0004-create-key-check": createKeyCheck,
  "0005-create-call-events": createCallEvents,
  "0006-create-batches": createBatches,
  "0007-create-model-tasks": createModelTasks,
  "0008-create-agent-feedback": createAgentFeedback,
  "0009-create-live-calls": createLiveCalls,
  "0010-create-webhooks": createWebhooks,
  "0011-count-jobs": countJobs,
  "0012-own-live-calls": ownLiveCalls,
  "0013-create-deletion-receipts": createDeletionReceipts,
  "0014-create-call-texts": createCallTexts,
  "0015-keep-first-queue": keepFirstQueue,
};

/** In the order they are applied. */
export function knownMigrations(): readonly string[] {
  return Object.keys(MIGRATIONS);
}

export interface MigrateOptions {
  /** Name of the last migration to apply; all of them when left out. */
  readonly upTo?: string;
}

export interface AppliedMigration {
  readonly name: string;
}

/**
 * Applies what is missing. Of several processes that start at once one does it and the others wait.
 *
 * @returns the migrations applied now; empty when the schema was up to date.
 * @throws AppError `STORAGE_SCHEMA_NEWER` when the database holds a migration this program does not know.
 */
export async function migrateSchema(db: Kysely<DatabaseSchema>, types: ColumnTypes, { upTo }: MigrateOptions = {}): Promise<readonly AppliedMigration[]> {
  await refuseNewerSchema(db);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => toKyselyMigrations(types) } });
  const { error, results } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo));
  if (error !== undefined) {
    // A newer program may have been first while this one waited for the lock.
    await refuseNewerSchema(db);
    throw new AppError("STORAGE_UNAVAILABLE", "The database schema could not be brought up to date; nothing was changed.", { cause: error });
  }
  return (results ?? []).map((result) => ({ name: result.migrationName }));
}

function toKyselyMigrations(types: ColumnTypes): Record<string, Migration> {
  return Object.fromEntries(Object.entries(MIGRATIONS).map(([name, module]) => [name, { up: (db: Kysely<unknown>) => module.up(db, types) }]));
}

async function refuseNewerSchema(db: Kysely<DatabaseSchema>): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return;
  const applied = await (db as unknown as Kysely<{ kysely_migration: { name: string } }>).selectFrom("kysely_migration").select("name").execute();
  if (applied.some((row) => !Object.hasOwn(MIGRATIONS, row.name))) {
    throw new AppError(
      "STORAGE_SCHEMA_NEWER",
      "This database was made by a newer version of openchs-ai. Start that version, or restore a backup made by this one.",
    );
  }
}
