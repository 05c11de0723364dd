/** The repositories and the audio store over one database and one directory. */
import type { Metrics } from "../observability/metrics.js";
import type { MasterKey } from "../security/master-key.js";
import { createSealerFactory } from "../security/sealing/sealed-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import { createFilesystemLiveJournal, type FilesystemLiveJournalOptions } from "../storage/backends/filesystem-live-journal.js";
import type { AppDatabase } from "../storage/database.js";
import { createAgentFeedbackRepository } from "../storage/repositories/agent-feedback-repository.js";
import { createAnalysisRepository } from "../storage/repositories/analysis-repository.js";
import { createApiKeyRepository } from "../storage/repositories/api-key-repository.js";
import { createAuditRepository } from "../storage/repositories/audit-repository.js";
import { createBatchRepository } from "../storage/repositories/batch-repository.js";
import { createCallEventRepository } from "../storage/repositories/call-event-repository.js";
import { createCallExpiryRepository } from "../storage/repositories/call-expiry-repository.js";
import { createCallRepository } from "../storage/repositories/call-repository.js";
import { createDeletionReceiptRepository } from "../storage/repositories/deletion-receipt-repository.js";
import { createLiveCallRepository } from "../storage/repositories/live-call-repository.js";
import { createModelTaskRepository } from "../storage/repositories/model-task-repository.js";
import { createWebhookRepository } from "../storage/repositories/webhook-repository.js";
import { createCallTextRepository } from "../storage/search/call-text-repository.js";

export interface OpenStoresOptions {
  readonly database: AppDatabase;
  readonly masterKey: MasterKey;
  readonly metrics: Metrics;
  readonly audioStore: AudioStore;
  /** Whose live calls these are, where several processes take calls. */
  readonly streamId: string | undefined;
  readonly journal: FilesystemLiveJournalOptions;
}

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** The database must be migrated. */
export async function openStores({ database, masterKey, metrics, audioStore, streamId, journal }: OpenStoresOptions) {
  const sealers = createSealerFactory(masterKey);
  return {
    sealers,
    calls: createCallRepository({ database, sealers }),
    expiry: createCallExpiryRepository({ database }),
    callTexts: createCallTextRepository({ database, sealers, digestKey: masterKey.derive("text-search") }),
    receipts: createDeletionReceiptRepository({ database, key: masterKey.derive("deletion-receipt") }),
    analyses: createAnalysisRepository({ database }),
    events: createCallEventRepository({ database }),
    batches: createBatchRepository({ database }),
    modelTaskRecords: createModelTaskRepository({ database, sealers }),
    feedbackRecords: createAgentFeedbackRepository({ database, sealers }),
    webhookRecords: createWebhookRepository({ database, sealers }),
    apiKeys: createApiKeyRepository({ database }),
    audit: createAuditRepository({ database, key: masterKey.derive("audit-chain"), onAppend: (outcome) => metrics.auditRecords.inc({ outcome }) }),
    liveCallRecords: createLiveCallRepository({ database, ...(streamId === undefined ? {} : { streamId }) }),
    journal: await createFilesystemLiveJournal(journal),
    audioStore,
  };
}
