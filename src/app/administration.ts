/** The operator's own access to a data directory, for one-shot commands; works beside a running service. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Config } from "../config/config-schema.js";
import { systemClock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { EmbeddedQueueBackend } from "../queue/backends/embedded-queue-backend.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../queue/retry-policy.js";
import { generateApiKey } from "../security/api-key.js";
import type { AuditAction } from "../security/audit-record.js";
import { OPERATOR } from "../security/authorization.js";
import type { UserRole } from "../security/permissions.js";
import { openDatabase } from "../storage/database.js";
import type { AppliedMigration } from "../storage/migrator.js";
import { type ApiKeyInfo, createApiKeyRepository } from "../storage/repositories/api-key-repository.js";
import { type AuditRepository, type AuditVerification, createAuditRepository } from "../storage/repositories/audit-repository.js";
import { createJobRepository } from "../storage/repositories/job-repository.js";
import { openMasterKey } from "./open-master-key.js";
import { type DataLayout, dataLayout } from "./paths.js";

export interface Administration {
  /** @returns the credential, which is shown this once. */
  createKey(role: UserRole, label: string): Promise<{ readonly keyId: string; readonly token: string }>;
  listKeys(): Promise<readonly ApiKeyInfo[]>;
  /** @throws AppError `SECURITY_KEY_NOT_FOUND` */
  revokeKey(keyId: string): Promise<void>;
  verifyAudit(): Promise<AuditVerification>;
  readonly queue: QueueBackend;
  retryJob(jobId: string): Promise<void>;
  discardJob(jobId: string): Promise<void>;
  close(): Promise<void>;
}

/** Brings the database up to date, making it when there is none. */
export async function migrateDataDirectory(config: Config): Promise<readonly AppliedMigration[]> {
  const layout = dataLayout(config);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const database = openDatabase(layout.database);
  try {
    return await database.migrate();
  } finally {
    await database.close();
  }
}

/** For what looks at stored data and must not make any. @throws AppError `CONFIG_INVALID` when there is none */
export function refuseMissingData({ database }: DataLayout): void {
  if ("path" in database && !existsSync(database.path)) {
    throw new AppError("CONFIG_INVALID", "There is no openchs-ai data in this directory; name it with --data-dir.");
  }
}

/** @throws AppError `CONFIG_INVALID` when the directory holds no data and `create` is not set */
export async function openAdministration(config: Config, { create }: { readonly create: boolean }): Promise<Administration> {
  const layout = dataLayout(config);
  if (!create) refuseMissingData(layout);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const { masterKey } = await openMasterKey(layout);
  const database = openDatabase(layout.database);
  const apiKeys = createApiKeyRepository({ database });
  const audit = createAuditRepository({ database, key: masterKey.derive("audit-chain") });
  const queue = new EmbeddedQueueBackend({
    jobs: createJobRepository({ database }),
    clock: systemClock,
    retryPolicy: DEFAULT_RETRY_POLICY,
    leaseMs: config.queue.leaseMs,
    pollIntervalMs: config.queue.pollIntervalMs,
    isExclusive: false,
    maxStalls: 5,
  });
  const record = (action: AuditAction, target: string): Promise<void> => recordOperator(audit, action, target);
  return {
    queue,
    async createKey(role, label) {
      const { keyId, token, secretHash } = generateApiKey();
      await record("key.created", keyId);
      await apiKeys.insertKey({ keyId, secretHash, role, label, createdAtMs: Date.now(), revokedAtMs: null });
      return { keyId, token };
    },
    listKeys: () => apiKeys.listKeys(),
    async revokeKey(keyId) {
      await record("key.revoked", keyId.slice(0, 16));
      if (!(await apiKeys.revokeKey(keyId, Date.now())))
        throw new AppError("SECURITY_KEY_NOT_FOUND", "There is no active key with this id; 'keys list' shows them.");
    },
    verifyAudit: () => audit.verify(),
    async retryJob(jobId) {
      await queue.retryDead(jobId);
      await record("job.retried", jobId);
    },
    async discardJob(jobId) {
      await queue.discardDead(jobId);
      await record("job.discarded", jobId);
    },
    async close() {
      await queue.close(0);
      await database.close();
    },
  };
}

function recordOperator(audit: AuditRepository, action: AuditAction, target: string): Promise<void> {
  return audit.append({ atMs: Date.now(), actorId: OPERATOR.actorId, role: OPERATOR.role, action, target, outcome: "allowed" });
}
