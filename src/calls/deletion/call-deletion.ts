/**
 * Deletes a call, its texts or its audio everywhere it lies, and leaves a receipt. The database goes first, with the
 * receipt in the same transaction; audio files follow, and what a crash left of them is removed at the next turn.
 */

import type { DeletedPart, DeletionReason, DeletionReceipt } from "../../core/call.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import { newId } from "../../core/ids.js";
import type { QueueBackend } from "../../queue/queue-backend.js";
import { type AuditAction, type AuditSink, recordAllowed } from "../../security/audit-record.js";
import type { Actor } from "../../security/authorization.js";
import type { SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { AppDatabase } from "../../storage/database.js";
import type { CallExpiryRepository, CallRemains } from "../../storage/repositories/call-expiry-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { DeletionReceiptRepository } from "../../storage/repositories/deletion-receipt-repository.js";
import { inUnitOfWork, type UnitOfWork } from "../../storage/unit-of-work.js";
import { callNotFound } from "../call-not-found.js";
import type { TextMasking } from "../text-masking.js";

export interface DeletionCause {
  readonly actor: Actor;
  readonly reason: DeletionReason;
}

export interface CallDeletion {
  /**
   * Work on the call is stopped first. A part that is not there any more gives a receipt all the same, of nothing.
   *
   * @throws AppError `CALL_NOT_FOUND`, `CALL_ON_LEGAL_HOLD`, `AUDIT_SINK_UNAVAILABLE`
   */
  delete(part: DeletedPart, callId: string, cause: DeletionCause): Promise<DeletionReceipt>;
  /** Removes audio that a crash left of deleted calls. @returns of how many deletions */
  finish(): Promise<number>;
}

export interface CallDeletionDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly expiry: CallExpiryRepository;
  readonly receipts: DeletionReceiptRepository;
  readonly sealers: SealerFactory;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

const AUDIT_ACTION: Readonly<Record<DeletedPart, AuditAction>> = { call: "call.deleted", texts: "texts.deleted", audio: "audio.deleted" };
const FINISHED_AT_ONCE = 100;

/** Audio that a crash left is removed by `finish`, which somebody has to call now and then. */
export function createCallDeletion(dependencies: CallDeletionDependencies): CallDeletion {
  const { receipts, audioStore, clock } = dependencies;
  const removeAudio = async (receiptId: string, audioKeys: readonly string[]): Promise<number> => {
    for (const audioKey of audioKeys) await audioStore.remove(audioKey);
    const atMs = clock.nowMs();
    await receipts.completeReceipt(receiptId, atMs);
    return atMs;
  };
  return {
    async delete(part, callId, cause) {
      const { receipt, audioKeys } = await deleteRows(dependencies, { part, callId, cause });
      dependencies.masking.forget(callId);
      return { ...receipt, completedAtMs: await removeAudio(receipt.receiptId, audioKeys) };
    },
    async finish() {
      let finished = 0;
      for (const { receiptId, audioKeys } of await receipts.listOpen(FINISHED_AT_ONCE)) {
        await removeAudio(receiptId, audioKeys);
        finished++;
      }
      return finished;
    },
  };
}

interface Deleting {
  readonly part: DeletedPart;
  readonly callId: string;
  readonly cause: DeletionCause;
}

async function deleteRows(dependencies: CallDeletionDependencies, { part, callId, cause }: Deleting) {
  const { database, calls, queue, receipts, audit, clock } = dependencies;
  const call = await calls.findCall(callId);
  if (call === undefined) throw callNotFound();
  if (call.legalHold) throw onLegalHold();
  await recordAllowed({ audit, clock }, cause.actor, AUDIT_ACTION[part], callId);
  const taskIds = part === "audio" ? [] : await calls.listTaskIds(callId);
  for (const taskId of taskIds) await queue.cancel(taskId);
  return inUnitOfWork(database, async (unitOfWork) => {
    const remains = await dependencies.expiry.lockRemains(callId, unitOfWork);
    if (remains === undefined) throw callNotFound();
    if (remains.legalHold) throw onLegalHold();
    const recordings = part === "texts" ? [] : await calls.listRecordings(callId, unitOfWork);
    const keyDestroyed = await removePart(dependencies, { part, callId, remains, taskIds }, unitOfWork);
    const receipt: DeletionReceipt = {
      ...{ receiptId: newId(clock.nowMs()), callId, part, reason: cause.reason, actorId: cause.actor.actorId, deletedAtMs: clock.nowMs() },
      ...{ recordings: recordings.length, tasks: taskIds.length, keyDestroyed, completedAtMs: null },
    };
    const audioKeys = recordings.map(({ audioKey }) => audioKey);
    await receipts.insertReceipt(receipt, audioKeys, unitOfWork);
    return { receipt, audioKeys };
  });
}

interface Removing {
  readonly part: DeletedPart;
  readonly callId: string;
  readonly remains: CallRemains;
  readonly taskIds: readonly string[];
}

/** @returns whether the call's key went: with the call, or with the last of what it sealed */
async function removePart(
  { calls, expiry, sealers, queue }: CallDeletionDependencies,
  { part, callId, remains, taskIds }: Removing,
  unitOfWork: UnitOfWork,
): Promise<boolean> {
  if (part === "call") {
    if (!(await calls.removeCall(callId, unitOfWork))) throw callNotFound();
    await queue.forget(taskIds, { unitOfWork });
    return true;
  }
  await (part === "texts" ? expiry.removeTexts(callId, unitOfWork) : expiry.removeRecordings(callId, unitOfWork));
  if (part === "texts" ? remains.hasAudio : remains.hasTexts) return false;
  await expiry.replaceKey(callId, sealers.wrap(callId, sealers.newCallKey()), unitOfWork);
  return true;
}

function onLegalHold(): AppError {
  return new AppError("CALL_ON_LEGAL_HOLD", "The call is on legal hold and can't be deleted.");
}
