/**
 * A recording comes in: checked by content, encrypted as it lands, stored with its call and its job in one
 * transaction. What was acknowledged survives a power cut; what was not leaves nothing behind.
 */
import { createHash, createHmac, type Hmac } from "node:crypto";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Container, RawFormat } from "../audio/container.js";
import { identifyStream } from "../audio/identified-stream.js";
import type { CallRecord, CallSource, WorkStatus } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { newId } from "../core/ids.js";
import { PROCESS_RECORDING, type ProcessRecordingPayload, processRecordingPayload } from "../protocol/job-payloads.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import { type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Actor, Authorized } from "../security/authorization.js";
import type { SealerFactory } from "../security/sealing/sealed-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";
import type { CallEventLog } from "./call-event-log.js";

export interface RecordingIntakeDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly sealers: SealerFactory;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly eventLog: CallEventLog;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly maxAttempts: number;
  readonly fingerprintKey: Buffer;
}

/** A recording that lies in the audio store and belongs to no call yet. */
export interface StagedRecording {
  readonly recordingId: string;
  readonly container: Container;
  readonly byteCount: number;
  readonly callKey: Buffer;
  /** Keyed hash of the content: tells whether two uploads are the same, and nothing else. */
  readonly fingerprint: string;
}

export interface RecordingSettings {
  readonly language: string;
  readonly includeTranslation: boolean;
  readonly speechEngine: string;
  /** An id for the call; one of ours when absent. */
  readonly callId?: string;
  /** The service's own call: nothing of it is anybody's, and it is not audited. */
  readonly isSynthetic?: boolean;
  /** Chosen by the sender: a second upload with the same key and content is the same call. */
  readonly idempotencyKey?: string;
}

export interface AcceptedRecording {
  readonly taskId: string;
  readonly callId: string;
  readonly status: WorkStatus;
  /** It was taken in before, under the same idempotency key. */
  readonly isRepeated: boolean;
}

/** In two steps, because a form may name the settings after the file. Commit or discard what was received. */
export interface RecordingIntake {
  /** @throws AppError `AUDIO_EMPTY`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_TOO_LARGE`, `STORAGE_FULL` */
  receive(authorized: Authorized<"recording:create">, content: Readable, options?: { readonly rawFormat?: RawFormat }): Promise<StagedRecording>;
  /**
   * Durable when it resolves.
   *
   * @throws AppError `CALL_ID_CONFLICT`, `CALL_IDEMPOTENCY_KEY_REUSED`; the recording is discarded then
   */
  commit(authorized: Authorized<"recording:create">, staged: StagedRecording, settings: RecordingSettings): Promise<AcceptedRecording>;
  discard(staged: StagedRecording): Promise<void>;
}

/** The use case of taking a recording in. */
export function createRecordingIntake(dependencies: RecordingIntakeDependencies): RecordingIntake {
  const { audioStore, sealers, clock } = dependencies;
  return {
    async receive(_authorized, source, { rawFormat } = {}) {
      const { container, content } = await identifyStream(source, { maxBytes: dependencies.maxBytes, ...(rawFormat === undefined ? {} : { rawFormat }) });
      const recordingId = newId(clock.nowMs());
      const callKey = sealers.newCallKey();
      const fingerprint = createHmac("sha256", dependencies.fingerprintKey);
      const { byteCount } = await audioStore.write(recordingId, passingBy(fingerprint, content), callKey);
      return { recordingId, container, byteCount, callKey, fingerprint: fingerprint.digest("base64") };
    },
    commit: (authorized, staged, settings) => commitRecording(dependencies, { actor: authorized.actor, staged, settings }),
    discard: (staged) => audioStore.remove(staged.recordingId),
  };
}

interface Commit {
  readonly actor: Actor;
  readonly staged: StagedRecording;
  readonly settings: RecordingSettings;
}

async function commitRecording(dependencies: RecordingIntakeDependencies, commit: Commit): Promise<AcceptedRecording> {
  const { audioStore, clock, calls } = dependencies;
  const { actor, staged, settings } = commit;
  const nowMs = clock.nowMs();
  const ids = { taskId: newId(nowMs), callId: settings.callId ?? newId(nowMs) };
  const jobKey = settings.idempotencyKey === undefined ? undefined : jobKeyOf(actor, settings.idempotencyKey);
  try {
    const earlier = await findEarlier(dependencies, staged, jobKey);
    if (earlier !== undefined) return earlier;
    // Before the change, not after: what can't be recorded is not done.
    if (settings.isSynthetic !== true) await recordAllowed(dependencies, actor, "recording.created", ids.callId);
    await storeCall(dependencies, staged, { ...settings, ...ids, jobKey });
    return { ...ids, status: "queued", isRepeated: false };
  } catch (error) {
    if (error instanceof KeyTakenError) return await repeatOf(dependencies, staged, jobKey);
    const isTaken = error instanceof AppError && error.code === "STORAGE_CONFLICT";
    // Only what nothing refers to: after the commit the recording belongs to its call.
    const isOrphan = await calls.findRecording(staged.recordingId).then(
      (found) => found === undefined,
      () => false,
    );
    if (isOrphan) await audioStore.remove(staged.recordingId);
    throw isTaken ? callIdTaken() : error;
  }
}

/** Another upload took the key between our look and our commit. */
class KeyTakenError extends Error {}

async function repeatOf(dependencies: RecordingIntakeDependencies, staged: StagedRecording, jobKey: string | undefined): Promise<AcceptedRecording> {
  try {
    const earlier = await findEarlier(dependencies, staged, jobKey);
    if (earlier === undefined)
      throw new AppError("STORAGE_UNAVAILABLE", "The upload that took this idempotency key is gone; send yours again.", { retryable: true });
    return earlier;
  } catch (error) {
    await dependencies.audioStore.remove(staged.recordingId);
    throw error;
  }
}

/** Keys of different senders never meet, and whatever a sender writes into one is not stored. */
function jobKeyOf({ actorId }: Actor, idempotencyKey: string): string {
  return createHash("sha256").update(`${actorId}\n${idempotencyKey}`).digest("base64url");
}

/** What an earlier upload with this key became; the one at hand is discarded then. */
async function findEarlier(
  { queue, calls, audioStore }: RecordingIntakeDependencies,
  staged: StagedRecording,
  jobKey: string | undefined,
): Promise<AcceptedRecording | undefined> {
  const job = jobKey === undefined ? undefined : await queue.findByKey("recordings", jobKey);
  if (job === undefined) return undefined;
  const { callId, recordingId } = processRecordingPayload.parse(job.payload);
  if ((await calls.findRecording(recordingId))?.fingerprint !== staged.fingerprint) {
    throw new AppError("CALL_IDEMPOTENCY_KEY_REUSED", "This idempotency key was used for another recording; use a new one for each recording.");
  }
  await audioStore.remove(staged.recordingId);
  return { taskId: job.jobId, callId, status: job.status, isRepeated: true };
}

interface NewCallIds {
  readonly taskId: string;
  readonly callId: string;
  readonly jobKey: string | undefined;
}

/** The call, its recording, its job and its first event, in one transaction. */
async function storeCall(
  { database, calls, sealers, queue, eventLog, clock, maxAttempts }: RecordingIntakeDependencies,
  staged: StagedRecording,
  { callId, taskId, jobKey, isSynthetic, ...settings }: RecordingSettings & NewCallIds,
): Promise<void> {
  const nowMs = clock.nowMs();
  const { recordingId, container, byteCount, callKey, fingerprint } = staged;
  const { language, includeTranslation, speechEngine } = settings;
  const payload: ProcessRecordingPayload = { callId, recordingId, language, includeTranslation, speechEngine };
  const wrappedKey = sealers.wrap(callId, callKey);
  const call = newCall(callId, isSynthetic === true ? "synthetic" : "upload", nowMs);
  await inUnitOfWork(database, async (unitOfWork) => {
    await calls.insertCall(call, wrappedKey, unitOfWork);
    await calls.insertTask(callId, taskId, unitOfWork);
    await calls.insertRecording(
      { recordingId, callId, kind: "original", audioKey: recordingId, container, byteCount, fingerprint, createdAtMs: nowMs },
      unitOfWork,
    );
    const job = { jobId: taskId, jobName: PROCESS_RECORDING, payload, maxAttempts, ...(jobKey === undefined ? {} : { idempotencyKey: jobKey }) };
    if ((await queue.enqueue("recordings", job, { unitOfWork })).isDuplicate) throw new KeyTakenError("idempotency key taken");
    const started = { type: "call.started", payload: { taskId, source: call.source } } as const;
    await eventLog.append({ callId, sealer: sealers.open(callId, wrappedKey) }, [started], unitOfWork);
  });
}

function newCall(callId: string, source: CallSource, nowMs: number): CallRecord {
  return {
    callId,
    source,
    direction: "unknown",
    status: "queued",
    startedAtMs: nowMs,
    endedAtMs: null,
    durationMs: null,
    legs: [],
    languages: [],
    mode: "post_call",
    legalHold: false,
  };
}

function callIdTaken(): AppError {
  return new AppError("CALL_ID_CONFLICT", "A call with this call_id exists already. Leave call_id out, or send another.");
}

/** Hashes what goes by; an error of the source, also one that is past already, goes on to the reader. */
function passingBy(fingerprint: Hmac, source: Readable): Readable {
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      fingerprint.update(chunk);
      done(null, chunk);
    },
  });
  void pipeline(source, passing).catch(() => {});
  return passing;
}
