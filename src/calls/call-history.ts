/** The calls there were: listed, looked at, exported, deleted. Every look at a text leaves an audit record first. */

import { assembleAnalysis } from "../analysis/assemble-analysis.js";
import { StageRunner } from "../analysis/stage-runner.js";
import type { AnalysisResult } from "../core/analysis-result.js";
import { type CallRecord, isEndedStatus } from "../core/call.js";
import type { CallFilter, CallPosition } from "../core/call-filter.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import { type AuditAction, type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Actor, Authorized } from "../security/authorization.js";
import { recordCallReading } from "../security/call-reading.js";
import { isGranted } from "../security/permissions.js";
import { withholdText } from "../security/withhold-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import type { CallEventLog } from "./call-event-log.js";
import { analysisSoFar, EVENTS_OF_ANALYSIS } from "./following/analysis-so-far.js";

export interface CallPage {
  readonly calls: readonly CallRecord[];
  /** Where the next page begins; absent on the last. */
  readonly next?: CallPosition;
}

/** How many of what went with a call. */
export interface DeletedCall {
  readonly callId: string;
  readonly recordings: number;
  readonly tasks: number;
}

export interface CallHistory {
  /** Newest first. */
  list(authorized: Authorized<"call:read">, page: { readonly filter: CallFilter; readonly after?: CallPosition; readonly limit: number }): Promise<CallPage>;
  /** @throws AppError `CALL_NOT_FOUND` */
  get(authorized: Authorized<"call:read">, callId: string): Promise<CallRecord>;
  /**
   * The newest finished analysis; while there is none, what the stages done so far say, under the task's status. Text is
   * shown to roles with `transcript:read`, and withheld from others.
   *
   * @throws AppError `CALL_NOT_FOUND`, `AUDIT_SINK_UNAVAILABLE`
   */
  analysis(authorized: Authorized<"call:read">, callId: string): Promise<AnalysisResult>;
  /**
   * Call and analysis together, to be taken away. Without `clearText` every text is withheld.
   *
   * @throws AppError `CALL_NOT_FOUND`, `AUTH_PERMISSION_DENIED` when clear text is asked for by a role that may not read it
   */
  export(
    authorized: Authorized<"call:read">,
    callId: string,
    options: { readonly clearText: boolean },
  ): Promise<{ readonly call: CallRecord; readonly analysis: AnalysisResult }>;
  /**
   * The call, its recordings, analyses, events and tasks, and the key all of it was sealed with. Work on it is stopped.
   *
   * @throws AppError `CALL_NOT_FOUND`, `CALL_ON_LEGAL_HOLD`, `CALL_IN_WORK` while it runs
   */
  delete(authorized: Authorized<"call:delete">, callId: string): Promise<DeletedCall>;
}

export interface CallHistoryDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly analyses: AnalysisRepository;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly eventLog: Pick<CallEventLog, "listOfTypes">;
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
      const page = found.slice(0, limit);
      const last = page.at(-1);
      if (found.length <= limit || last === undefined) return { calls: page };
      return { calls: page, next: { startedAtMs: last.startedAtMs, callId: last.callId } };
    },
    get: (_authorized, callId) => find(callId),
    async analysis({ actor }, callId) {
      const call = await find(callId);
      const { maySeeText } = await recordCallReading(dependencies, actor, callId);
      const analysis = await newestAnalysis(dependencies, call);
      return maySeeText ? analysis : withholdText(analysis);
    },
    async export({ actor }, callId, { clearText }) {
      const call = await find(callId);
      if (clearText && !isGranted(actor.role, "transcript:read")) {
        throw new AppError("AUTH_PERMISSION_DENIED", `The role ${actor.role} may not export clear text; leave text=clear out.`);
      }
      await record(actor, clearText ? "call.exported_clear" : "call.exported", callId);
      const analysis = await newestAnalysis(dependencies, call);
      return { call, analysis: clearText ? analysis : withholdText(analysis) };
    },
    async delete({ actor }, callId) {
      const call = await find(callId);
      if (call.legalHold) throw new AppError("CALL_ON_LEGAL_HOLD", "The call is on legal hold and can't be deleted.");
      if (call.source === "live" && call.endedAtMs === null && !isEndedStatus(call.status)) {
        throw new AppError("CALL_IN_WORK", "The call is in progress; end it first, then delete it.");
      }
      await record(actor, "call.deleted", callId);
      return deleteCall(dependencies, callId);
    },
  };
}

async function newestAnalysis({ calls, analyses, queue, eventLog, clock }: CallHistoryDependencies, call: CallRecord): Promise<AnalysisResult> {
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
  const earlier = await analyses.loadCompletedStages({ callId, taskId, sealer });
  const runner = new StageRunner({ earlier, clock, signal: new AbortController().signal });
  const assembled = { ...assembleAnalysis({ callId, taskId }, runner), status: (await queue.find(taskId))?.status ?? call.status };
  if (call.source !== "live" || earlier.has("transcript")) return assembled;
  // Until its recording was heard, what was heard while it ran.
  return { ...assembled, ...analysisSoFar(await eventLog.listOfTypes({ callId, sealer }, EVENTS_OF_ANALYSIS)) };
}

async function deleteCall({ database, calls, audioStore, queue }: CallHistoryDependencies, callId: string): Promise<DeletedCall> {
  const taskIds = await calls.listTaskIds(callId);
  for (const taskId of taskIds) await queue.cancel(taskId);
  const recordings = await calls.listRecordings(callId);
  await inUnitOfWork(database, async (unitOfWork) => {
    if (!(await calls.removeCall(callId, unitOfWork))) throw callNotFound();
    await queue.forget(taskIds, { unitOfWork });
  });
  // After the commit: a crash here leaves audio without a key, which the next start removes.
  for (const { audioKey } of recordings) await audioStore.remove(audioKey);
  return { callId, recordings: recordings.length, tasks: taskIds.length };
}

function callNotFound(): AppError {
  return new AppError("CALL_NOT_FOUND", "There is no call with this id.");
}
