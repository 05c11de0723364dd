/** The repositories over one database, and what tests put into them. */
import type { AnalysisResult } from "../../src/core/analysis-result.js";
import type { CallRecord } from "../../src/core/call.js";
import { newId } from "../../src/core/ids.js";
import { createEphemeralMasterKey, type MasterKey } from "../../src/security/master-key.js";
import { createSealerFactory } from "../../src/security/sealing/sealed-text.js";
import type { AppDatabase } from "../../src/storage/database.js";
import { createAgentFeedbackRepository } from "../../src/storage/repositories/agent-feedback-repository.js";
import { createAnalysisRepository } from "../../src/storage/repositories/analysis-repository.js";
import { createApiKeyRepository } from "../../src/storage/repositories/api-key-repository.js";
import { createAuditRepository } from "../../src/storage/repositories/audit-repository.js";
import { createBatchRepository } from "../../src/storage/repositories/batch-repository.js";
import { createCallEventRepository } from "../../src/storage/repositories/call-event-repository.js";
import { createCallExpiryRepository } from "../../src/storage/repositories/call-expiry-repository.js";
import { createCallRepository } from "../../src/storage/repositories/call-repository.js";
import { createDeletionReceiptRepository } from "../../src/storage/repositories/deletion-receipt-repository.js";
import { createJobRepository, type JobRow } from "../../src/storage/repositories/job-repository.js";
import { createLiveCallRepository } from "../../src/storage/repositories/live-call-repository.js";
import { createMasterKeyRepository } from "../../src/storage/repositories/master-key-repository.js";
import { createModelTaskRepository } from "../../src/storage/repositories/model-task-repository.js";
import { createWebhookRepository } from "../../src/storage/repositories/webhook-repository.js";
import { createCallTextRepository } from "../../src/storage/search/call-text-repository.js";
import { inUnitOfWork, type UnitOfWork } from "../../src/storage/unit-of-work.js";

export type StorageParts = ReturnType<typeof openStorageParts>;

export const START_MS = 1_700_000_000_123;

export function callRecord(more: Partial<CallRecord> = {}): CallRecord {
  return {
    ...{ callId: newId(), source: "upload", direction: "inbound", status: "queued", startedAtMs: START_MS, endedAtMs: null, durationMs: null },
    ...{ legs: [], languages: ["sw", "en"], mode: "post_call", legalHold: false },
    ...more,
  };
}

/** Parts of one process; another process has the same master key and a database opened by itself. */
export function openStorageParts(database: AppDatabase, masterKey: MasterKey = createEphemeralMasterKey()) {
  const sealers = createSealerFactory(masterKey);
  const calls = createCallRepository({ database, sealers });
  const analyses = createAnalysisRepository({ database });
  const insertCall = async (more: Partial<CallRecord> = {}): Promise<CallRecord> => {
    const call = callRecord(more);
    await calls.insertCall(call, sealers.wrap(call.callId, sealers.newCallKey()));
    return call;
  };
  /** A call with the task that analyses it. */
  const insertTask = async (more: Partial<CallRecord> = {}) => {
    const { callId } = await insertCall(more);
    return { callId, taskId: newId(), sealer: await calls.openSealer(callId) };
  };
  return {
    ...{ database, masterKey, sealers, calls, analyses, insertCall, insertTask },
    events: createCallEventRepository({ database }),
    jobs: createJobRepository({ database }),
    expiry: createCallExpiryRepository({ database }),
    callTexts: createCallTextRepository({ database, sealers, digestKey: masterKey.derive("text-search") }),
    receipts: createDeletionReceiptRepository({ database, key: masterKey.derive("deletion-receipt") }),
    keys: createApiKeyRepository({ database }),
    audit: createAuditRepository({ database, key: masterKey.derive("audit-chain") }),
    batches: createBatchRepository({ database }),
    modelTasks: createModelTaskRepository({ database, sealers }),
    feedback: createAgentFeedbackRepository({ database, sealers }),
    webhooks: createWebhookRepository({ database, sealers }),
    liveCalls: createLiveCallRepository({ database }),
    masterKeys: createMasterKeyRepository({ database }),
    work: <T>(unit: (unitOfWork: UnitOfWork) => Promise<T>): Promise<T> => inUnitOfWork(database, unit),
    save: (task: Awaited<ReturnType<typeof insertTask>>, result: AnalysisResult): Promise<boolean> =>
      inUnitOfWork(database, (unitOfWork) => analyses.saveAnalysis(task, result, START_MS + 1_000, unitOfWork)),
  };
}

export function jobRow(more: Partial<JobRow> = {}): JobRow {
  return {
    ...{
      job_id: newId(),
      queue: "recordings",
      enqueued_in: more.queue ?? "recordings",
      job_name: "process-recording",
      payload: "{}",
      status: "queued",
      priority: 0,
      run_at_ms: START_MS,
    },
    ...{ delivery: 0, attempt: 0, max_attempts: 3, stall_count: 0, lease_until_ms: null, cancel_requested: 0, progress: 0, step: "queued" },
    ...{ idempotency_key: null, error_code: null, created_at_ms: START_MS, finished_at_ms: null },
    ...more,
  };
}
