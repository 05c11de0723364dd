/**
 * A recording comes in: checked by content, encrypted as it lands, stored with its call and its job in one
 * transaction. What was acknowledged survives a power cut; what was not leaves nothing behind.
 */
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Container, SNIFF_BYTES, sniffContainer } from "../audio/container.js";
import type { CallLeg, CallRecord } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { newId } from "../core/ids.js";
import { PROCESS_RECORDING, type ProcessRecordingPayload } from "../protocol/job-payloads.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import type { AuditSink } from "../security/audit-record.js";
import type { Authorized } from "../security/authorization.js";
import type { SealerFactory } from "../security/sealed-text.js";
import type { AudioStore } from "../storage/audio-store.js";
import type { AppDatabase } from "../storage/database.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../storage/unit-of-work.js";

export interface RecordingIntakeDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly sealers: SealerFactory;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly maxAttempts: number;
}

/** A recording that lies in the audio store and belongs to no call yet. */
export interface StagedRecording {
  readonly recordingId: string;
  readonly container: Container;
  readonly byteCount: number;
  readonly callKey: Buffer;
}

export interface RecordingSettings {
  readonly language: string;
  readonly includeTranslation: boolean;
  readonly speechEngine: string;
  /** An id for the call; one of ours when absent. */
  readonly callId?: string;
  /** Set for a call that was recorded while it ran. */
  readonly live?: { readonly legs: readonly CallLeg[]; readonly startedAtMs: number; readonly endedAtMs: number };
}

export interface CommitOptions {
  /** Leave the recording staged when the id is taken, to be committed under another. */
  readonly keepOnConflict?: boolean;
}

export interface AcceptedRecording {
  readonly taskId: string;
  readonly callId: string;
}

/** In two steps, because a form may name the settings after the file. Commit or discard what was received. */
export interface RecordingIntake {
  /** @throws AppError `AUDIO_EMPTY`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_TOO_LARGE`, `STORAGE_FULL` */
  receive(authorized: Authorized<"recording:create">, content: Readable): Promise<StagedRecording>;
  /** Durable when it resolves. @throws AppError `CALL_ID_CONFLICT`; the recording is discarded then */
  commit(authorized: Authorized<"recording:create">, staged: StagedRecording, settings: RecordingSettings, options?: CommitOptions): Promise<AcceptedRecording>;
  discard(staged: StagedRecording): Promise<void>;
}

/** The use case of taking a recording in. */
export function createRecordingIntake(dependencies: RecordingIntakeDependencies): RecordingIntake {
  const { audioStore, sealers, clock, calls } = dependencies;
  return {
    async receive(_authorized, source) {
      const { container, content } = await identify(source, dependencies.maxBytes);
      const recordingId = newId(clock.nowMs());
      const callKey = sealers.newCallKey();
      const { byteCount } = await audioStore.write(recordingId, content, callKey);
      return { recordingId, container, byteCount, callKey };
    },
    async commit({ actor }, staged, settings, { keepOnConflict = false } = {}) {
      const nowMs = clock.nowMs();
      const ids = { taskId: newId(nowMs), callId: settings.callId ?? newId(nowMs) };
      try {
        // Before the change, not after: what can't be recorded is not done.
        await dependencies.audit.append({
          atMs: nowMs,
          actorId: actor.actorId,
          role: actor.role,
          action: "recording.created",
          target: ids.callId,
          outcome: "allowed",
        });
        await storeCall(dependencies, staged, { ...settings, ...ids });
        return ids;
      } catch (error) {
        const isTaken = error instanceof AppError && error.code === "STORAGE_CONFLICT";
        // Only what nothing refers to: after the commit the recording belongs to its call.
        const isOrphan = await calls.findRecording(staged.recordingId).then(
          (found) => found === undefined,
          () => false,
        );
        if (isOrphan && !(isTaken && keepOnConflict)) await audioStore.remove(staged.recordingId);
        throw isTaken ? callIdTaken() : error;
      }
    },
    discard: (staged) => audioStore.remove(staged.recordingId),
  };
}

/** The call, its recording and its job, in one transaction. */
async function storeCall(
  { database, calls, sealers, queue, clock, maxAttempts }: RecordingIntakeDependencies,
  staged: StagedRecording,
  { callId, taskId, ...settings }: RecordingSettings & AcceptedRecording,
): Promise<void> {
  const nowMs = clock.nowMs();
  const { recordingId, container, byteCount, callKey } = staged;
  const { language, includeTranslation, speechEngine } = settings;
  const payload: ProcessRecordingPayload = { callId, recordingId, language, includeTranslation, speechEngine };
  await inUnitOfWork(database, async (unitOfWork) => {
    await calls.insertCall(newCall(callId, nowMs, settings.live), sealers.wrap(callId, callKey), unitOfWork);
    await calls.insertRecording({ recordingId, callId, audioKey: recordingId, container, byteCount, createdAtMs: nowMs }, unitOfWork);
    await queue.enqueue("recordings", { jobId: taskId, jobName: PROCESS_RECORDING, payload, maxAttempts }, { unitOfWork });
  });
}

function newCall(callId: string, nowMs: number, live: RecordingSettings["live"]): CallRecord {
  return {
    callId,
    source: live === undefined ? "upload" : "live",
    direction: "unknown",
    status: "queued",
    startedAtMs: live?.startedAtMs ?? nowMs,
    endedAtMs: live?.endedAtMs ?? null,
    durationMs: null,
    legs: live?.legs ?? [],
    languages: [],
    mode: "post_call",
    legalHold: false,
  };
}

function callIdTaken(): AppError {
  return new AppError("CALL_ID_CONFLICT", "A call with this call_id exists already. Leave call_id out, or send another.");
}

/** Tells the container by the first bytes and gives back the whole content, with its size watched. */
async function identify(source: Readable, maxBytes: number): Promise<{ readonly container: Container; readonly content: Readable }> {
  let byteCount = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      if (byteCount > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
  const content = new PassThrough();
  // Errors reach the reader through `content`, which the pipeline destroys with them.
  void pipeline(source, limiter, content).catch(() => {});
  const head = await readHead(content);
  const container = sniffContainer(head);
  // A file shorter than the head has ended by now, and an ended stream takes nothing back.
  if (container !== undefined && content.readableEnded) return { container, content: Readable.from([head]) };
  if (container !== undefined) {
    content.unshift(head);
    return { container, content };
  }
  content.destroy();
  if (head.length === 0) throw new AppError("AUDIO_EMPTY", "The file is empty: it has no bytes.");
  throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "The file is not audio that can be read here: send WAV, FLAC, MP3, OGG/Opus, M4A, WebM or AMR.");
}

async function readHead(content: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < SNIFF_BYTES) {
    const chunk = content.read() as Buffer | null;
    if (chunk !== null) {
      chunks.push(chunk);
      length += chunk.length;
      continue;
    }
    if (content.readableEnded || !(await waitForMore(content))) break;
  }
  return Buffer.concat(chunks);
}

/** @returns false when the stream ended. */
function waitForMore(content: Readable): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onReadable = (): void => settle(() => resolve(true));
    const onEnd = (): void => settle(() => resolve(false));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new AppError("GATEWAY_BAD_REQUEST", "The upload ended before it was complete.")));
    const settle = (finish: () => void): void => {
      content.off("readable", onReadable).off("end", onEnd).off("error", onError).off("close", onClose);
      finish();
    };
    content.on("readable", onReadable).on("end", onEnd).on("error", onError).on("close", onClose);
  });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("AUDIO_TOO_LARGE", `The file is larger than the ${Math.round(maxBytes / 1_048_576)} MB allowed; send a shorter or compressed recording.`);
}
