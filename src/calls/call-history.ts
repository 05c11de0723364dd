/** The calls there were: listed, looked at, exported, held, deleted. Every look at a text leaves an audit record first. */

import { assembleAnalysis } from "../analysis/assemble-analysis.js";
import { StageRunner } from "../analysis/stage-runner.js";
import type { AnalysisResult } from "../core/analysis-result.js";
import type { DeletionReceipt } from "../core/call.js";
import { type CallRecord, isEndedStatus } from "../core/call.js";
import type { CallFilter, CallPosition } from "../core/call-filter.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import { type AuditAction, type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Actor, Authorized } from "../security/authorization.js";
import { recordCallReading } from "../security/call-reading.js";
import { coverAnalysis } from "../security/masking/cover-text.js";
import { isGranted } from "../security/permissions.js";
import { cutPage } from "../storage/keyset-page.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import type { CallExpiryRepository } from "../storage/repositories/call-expiry-repository.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import type { DeletionReceiptRepository, ReceiptPage, StoredReceipt } from "../storage/repositories/deletion-receipt-repository.js";
import type { CallEventLog } from "./call-event-log.js";
import { callNotFound } from "./call-not-found.js";
import type { CallDeletion } from "./deletion/call-deletion.js";
import { analysisSoFar, EVENTS_OF_ANALYSIS } from "./following/analysis-so-far.js";
import type { TextMasking } from "./text-masking.js";

export interface CallPage {
  readonly calls: readonly CallRecord[];
  /** Where the next page begins; absent on the last. */
  readonly next?: CallPosition;
}

export interface DeletionReceiptPage {
  readonly receipts: readonly StoredReceipt[];
  /** Where the next page begins; absent on the last. */
  readonly nextId?: string;
}

export interface CallHistory {
  /** Newest first. */
  list(authorized: Authorized<"call:read">, page: { readonly filter: CallFilter; readonly after?: CallPosition; readonly limit: number }): Promise<CallPage>;
  /** @throws AppError `CALL_NOT_FOUND` */
  get(authorized: Authorized<"call:read">, callId: string): Promise<CallRecord>;
  /**
   * The newest finished analysis; while there is none, what the stages done so far say, under the task's status. Text is
   * shown to roles with `transcript:read`, and masked for others.
   *
   * @throws AppError `CALL_NOT_FOUND`, `CALL_TEXTS_DELETED`, `AUDIT_SINK_UNAVAILABLE`
   */
  analysis(authorized: Authorized<"call:read">, callId: string): Promise<AnalysisResult>;
  /**
   * Call and analysis together, to be taken away. Without `clearText` every text is masked.
   *
   * @throws AppError `CALL_NOT_FOUND`, `AUTH_PERMISSION_DENIED` when clear text is asked for by a role that may not read it
   */
  export(
    authorized: Authorized<"call:read">,
    callId: string,
    options: { readonly clearText: boolean },
  ): Promise<{ readonly call: CallRecord; readonly analysis: AnalysisResult; readonly mappings: readonly MappedCategory[] }>;
  /**
   * The call, its recordings, analyses, events and tasks, and the key all of it was sealed with. Work on it is stopped.
   *
   * @throws AppError `CALL_NOT_FOUND`, `CALL_ON_LEGAL_HOLD`, `CALL_IN_WORK` while it runs
   */
  delete(authorized: Authorized<"call:delete">, callId: string): Promise<DeletionReceipt>;
  /** A call on hold is kept from deletion and from every retention policy. @throws AppError `CALL_NOT_FOUND` */
  hold(authorized: Authorized<"call:hold">, callId: string, legalHold: boolean): Promise<CallRecord>;
  /** What was deleted, newest first. */
  receipts(authorized: Authorized<"call:delete">, page: ReceiptPage): Promise<DeletionReceiptPage>;
  /** @throws AppError `CALL_RECEIPT_NOT_FOUND` */
  receipt(authorized: Authorized<"call:delete">, receiptId: string): Promise<StoredReceipt>;
}

/** Into another list of categories, for reports. */
export interface CategoryMapping {
  /** Whose list. */
  readonly to: string;
  /** False: nobody has checked it against that list. */
  readonly isCertain: boolean;
  /** By our sub-category. */
  readonly categoryOf: ReadonlyMap<string, string>;
}

/** What a classification is in another list. */
export interface MappedCategory extends Pick<CategoryMapping, "to" | "isCertain"> {
  /** Null: it has no counterpart there, or there is none to map. */
  readonly category: string | null;
}

export interface CallHistoryDependencies {
  /** Absent: none. */
  readonly mappings?: readonly CategoryMapping[];
  readonly calls: CallRepository;
  readonly expiry: CallExpiryRepository;
  readonly receipts: DeletionReceiptRepository;
  readonly deletion: CallDeletion;
  readonly analyses: AnalysisRepository;
  readonly queue: QueueBackend;
  readonly eventLog: Pick<CallEventLog, "listOfTypes">;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** The use cases of looking back. */
export function createCallHistory(dependencies: CallHistoryDependencies): CallHistory {
  const { calls } = dependencies;
  const record = (actor: Actor, action: AuditAction, callId: string): Promise<void> => recordAllowed(dependencies, actor, action, callId);
  const find = async (callId: string): Promise<CallRecord> => {
    const call = await calls.findCall(callId);
    if (call === undefined) throw callNotFound();
    return call;
  };
  return {
    async list(_authorized, { filter, after, limit }) {
      const found = await calls.listCalls({ filter, ...(after === undefined ? {} : { after }), limit: limit + 1 });
      const { rows, last } = cutPage(found, limit);
      return { calls: rows, ...(last === undefined ? {} : { next: { startedAtMs: last.startedAtMs, callId: last.callId } }) };
    },
    get: (_authorized, callId) => find(callId),
    async analysis({ actor }, callId) {
      const call = await find(callId);
      const { maySeeText } = await recordCallReading(dependencies, actor, callId);
      const analysis = await newestAnalysis(dependencies, call);
      return maySeeText ? analysis : maskAnalysis(dependencies, analysis);
    },
    async export({ actor }, callId, { clearText }) {
      const call = await find(callId);
      if (clearText && !isGranted(actor.role, "transcript:read")) {
        throw new AppError("AUTH_PERMISSION_DENIED", `The role ${actor.role} may not export clear text; leave text=clear out.`);
      }
      await record(actor, clearText ? "call.exported_clear" : "call.exported", callId);
      const analysis = await newestAnalysis(dependencies, call);
      return { call, analysis: clearText ? analysis : await maskAnalysis(dependencies, analysis), mappings: mapCategory(dependencies, analysis) };
    },
    async delete({ actor }, callId) {
      const call = await find(callId);
      if (call.source === "live" && call.endedAtMs === null && !isEndedStatus(call.status)) {
        throw new AppError("CALL_IN_WORK", "The call is in progress; end it first, then delete it.");
      }
      return dependencies.deletion.delete("call", callId, { actor, reason: "request" });
    },
    async hold({ actor }, callId, legalHold) {
      await find(callId);
      await record(actor, legalHold ? "call.held" : "call.released", callId);
      if (!(await dependencies.expiry.setLegalHold(callId, legalHold))) throw callNotFound();
      return find(callId);
    },
    async receipts(_authorized, page) {
      const found = await dependencies.receipts.listReceipts({ ...page, limit: page.limit + 1 });
      const { rows, last } = cutPage(found, page.limit);
      return { receipts: rows, ...(last === undefined ? {} : { nextId: last.receiptId }) };
    },
    async receipt(_authorized, receiptId) {
      const receipt = await dependencies.receipts.findReceipt(receiptId);
      if (receipt === undefined) throw new AppError("CALL_RECEIPT_NOT_FOUND", "There is no receipt of a deletion with this id.");
      return receipt;
    },
  };
}

function mapCategory({ mappings = [] }: CallHistoryDependencies, { classification }: AnalysisResult): readonly MappedCategory[] {
  const label = classification?.subCategory.label ?? null;
  return mappings.map(({ to, isCertain, categoryOf }) => ({ to, isCertain, category: label === null ? null : (categoryOf.get(label) ?? null) }));
}

async function hadTextsDeleted(receipts: DeletionReceiptRepository, callId: string): Promise<boolean> {
  return (await receipts.listReceipts({ callId, limit: 100 })).some(({ part }) => part === "texts");
}

async function newestAnalysis({ calls, analyses, receipts, queue, eventLog, clock }: CallHistoryDependencies, call: CallRecord): Promise<AnalysisResult> {
  const { callId } = call;
  const sealer = await calls.openSealer(callId);
  const taskIds = await calls.listTaskIds(callId);
  // A call that was continued is not what an earlier analysis says.
  const isRunning = call.source === "live" && call.endedAtMs === null && !isEndedStatus(call.status);
  for (const taskId of isRunning ? [] : taskIds) {
    const analysis = await analyses.findAnalysis({ callId, taskId, sealer });
    if (analysis !== undefined) return analysis;
  }
  const [taskId = ""] = taskIds;
  const earlier = await analyses.loadEarlierStages({ callId, taskId, sealer });
  const runner = new StageRunner({ earlier, clock, signal: new AbortController().signal });
  if (!isRunning && earlier.size === 0 && isEndedStatus(call.status) && (await hadTextsDeleted(receipts, callId))) {
    throw new AppError("CALL_TEXTS_DELETED", "What was said in this call was deleted, by a retention policy or on request; its record is kept.");
  }
  const assembled = { ...assembleAnalysis({ callId, taskId }, runner), status: (await queue.find(taskId))?.status ?? call.status };
  if (call.source !== "live" || earlier.has("transcript")) return assembled;
  // Until its recording was heard, what was heard while it ran.
  return { ...assembled, ...analysisSoFar(await eventLog.listOfTypes({ callId, sealer }, EVENTS_OF_ANALYSIS)) };
}

async function maskAnalysis({ calls, masking }: CallHistoryDependencies, analysis: AnalysisResult): Promise<AnalysisResult> {
  const { callId } = analysis;
  return coverAnalysis(analysis, await masking.coverOf({ callId, sealer: await calls.openSealer(callId) }));
}
