/** Calls, their recordings, and the keys their texts are sealed with. */
import type { CallRecord, WorkStatus } from "../../core/call.js";
import { AppError } from "../../core/errors.js";
import type { CallSealer, SealedText, SealerFactory } from "../../security/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

export interface RecordingRecord {
  readonly recordingId: string;
  readonly callId: string;
  readonly audioKey: string;
  readonly container: string;
  readonly byteCount: number;
  readonly createdAtMs: number;
}

/** How a call ended up; undefined fields stay as they are. */
export interface CallOutcome {
  readonly status: WorkStatus;
  readonly durationMs?: number;
  readonly languages?: readonly string[];
}

export interface CallRepository {
  /** Inserts; `STORAGE_CONFLICT` when the id is taken. */
  insertCall(call: CallRecord, wrappedKey: SealedText, unitOfWork?: UnitOfWork): Promise<void>;
  insertRecording(recording: RecordingRecord, unitOfWork?: UnitOfWork): Promise<void>;
  findCall(callId: string): Promise<CallRecord | undefined>;
  findRecording(recordingId: string): Promise<RecordingRecord | undefined>;
  updateOutcome(callId: string, outcome: CallOutcome, unitOfWork?: UnitOfWork): Promise<void>;
  /** Opens the call's sealer. @throws AppError `CALL_NOT_FOUND`, `SECURITY_DECRYPTION_FAILED` */
  openSealer(callId: string): Promise<CallSealer>;
}

/** Inserts and updates join a given unit of work; reads do not see what it has not committed. */
export function createCallRepository(options: { readonly database: AppDatabase; readonly sealers: SealerFactory }): CallRepository {
  const { database, sealers } = options;
  return {
    async insertCall(call, wrappedKey, unitOfWork) {
      const executor = executorOf(database, unitOfWork);
      await executor.insertInto("call").values(toRow(call, wrappedKey)).execute();
      if (call.legs.length > 0) {
        await executor
          .insertInto("call_leg")
          .values(call.legs.map((leg) => ({ call_id: call.callId, stream_id: leg.streamId, channel: leg.channel })))
          .execute();
      }
    },
    async insertRecording(recording, unitOfWork) {
      await executorOf(database, unitOfWork)
        .insertInto("recording")
        .values({
          recording_id: recording.recordingId,
          call_id: recording.callId,
          audio_key: recording.audioKey,
          container: recording.container,
          byte_count: recording.byteCount,
          created_at_ms: recording.createdAtMs,
        })
        .execute();
    },
    findCall: (callId) => findCall(database, callId),
    async findRecording(recordingId) {
      const row = await database.sql.selectFrom("recording").selectAll().where("recording_id", "=", recordingId).executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        recordingId: row.recording_id,
        callId: row.call_id,
        audioKey: row.audio_key,
        container: row.container,
        byteCount: row.byte_count,
        createdAtMs: row.created_at_ms,
      };
    },
    async updateOutcome(callId, outcome, unitOfWork) {
      await executorOf(database, unitOfWork)
        .updateTable("call")
        .set({
          status: outcome.status,
          ...(outcome.durationMs === undefined ? {} : { duration_ms: outcome.durationMs }),
          ...(outcome.languages === undefined ? {} : { languages: JSON.stringify(outcome.languages) }),
        })
        .where("call_id", "=", callId)
        .execute();
    },
    async openSealer(callId) {
      const row = await database.sql.selectFrom("call").select("wrapped_key").where("call_id", "=", callId).executeTakeFirst();
      if (row === undefined) throw new AppError("CALL_NOT_FOUND", "There is no such call.");
      return sealers.open(callId, row.wrapped_key);
    },
  };
}

function toRow(call: CallRecord, wrappedKey: SealedText) {
  return {
    call_id: call.callId,
    external_id: call.externalId ?? null,
    source: call.source,
    direction: call.direction,
    status: call.status,
    mode: call.mode,
    languages: JSON.stringify(call.languages),
    agent_id: call.agentId ?? null,
    caller_ref: null,
    legal_hold: call.legalHold ? 1 : 0,
    started_at_ms: call.startedAtMs,
    ended_at_ms: call.endedAtMs,
    duration_ms: call.durationMs,
    wrapped_key: wrappedKey,
  };
}

async function findCall(database: AppDatabase, callId: string): Promise<CallRecord | undefined> {
  const row = await database.sql.selectFrom("call").selectAll().where("call_id", "=", callId).executeTakeFirst();
  if (row === undefined) return undefined;
  const legs = await database.sql.selectFrom("call_leg").selectAll().where("call_id", "=", callId).execute();
  return {
    callId: row.call_id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    source: row.source as CallRecord["source"],
    direction: row.direction as CallRecord["direction"],
    status: row.status as WorkStatus,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    durationMs: row.duration_ms,
    legs: legs.map((leg) => ({ streamId: leg.stream_id, channel: leg.channel as CallRecord["legs"][number]["channel"] })),
    ...(row.agent_id === null ? {} : { agentId: row.agent_id }),
    languages: JSON.parse(row.languages) as string[],
    mode: row.mode as CallRecord["mode"],
    legalHold: row.legal_hold === 1,
  };
}
