/** Calls, their legs, recordings and tasks, and the keys their texts are sealed with. */
import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from "kysely";
import type { CallLeg, CallRecord, CallSource, WorkStatus } from "../../core/call.js";
import type { CallFilter, CallPosition } from "../../core/call-filter.js";
import { AppError } from "../../core/errors.js";
import type { CallSealer, SealedText, SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { lockCall, lockRows } from "../portable-sql.js";
import type { CallLegTable, CallTable, DatabaseSchema, RecordingTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

export interface RecordingRecord {
  readonly recordingId: string;
  readonly callId: string;
  /** As it came, or made from that for playing in a browser. */
  readonly kind: "original" | "playback";
  readonly audioKey: string;
  readonly container: string;
  readonly byteCount: number;
  /** Keyed hash of the content; null for what was made here, and for recordings older than the column. */
  readonly fingerprint: string | null;
  readonly createdAtMs: number;
}

/** How a call ended up; undefined fields stay as they are. */
export interface CallOutcome {
  readonly status: WorkStatus;
  readonly durationMs?: number;
  readonly endedAtMs?: number | null;
  readonly languages?: readonly string[];
}

export interface CallPageRequest {
  readonly filter: CallFilter;
  readonly after?: CallPosition;
  readonly limit: number;
}

export interface CallRepository {
  /** Inserts; `STORAGE_CONFLICT` when the id is taken. */
  insertCall(call: CallRecord, wrappedKey: SealedText, unitOfWork?: UnitOfWork): Promise<void>;
  insertRecording(recording: RecordingRecord, unitOfWork?: UnitOfWork): Promise<void>;
  insertTask(callId: string, taskId: string, unitOfWork?: UnitOfWork): Promise<void>;
  hasCall(callId: string): Promise<boolean>;
  /** In a unit of work the call stays as it is until that commits. */
  findStatus(callId: string, unitOfWork?: UnitOfWork): Promise<WorkStatus | undefined>;
  findCall(callId: string): Promise<CallRecord | undefined>;
  /** Those there are, in no order. */
  findCalls(callIds: readonly string[]): Promise<readonly CallRecord[]>;
  /** Which of them are the service's own. */
  findSynthetic(callIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Newest first; synthetic ones when they are asked for by their source. */
  listCalls(page: CallPageRequest): Promise<readonly CallRecord[]>;
  findRecording(recordingId: string): Promise<RecordingRecord | undefined>;
  /** Oldest first. */
  listRecordings(callId: string, unitOfWork?: UnitOfWork): Promise<readonly RecordingRecord[]>;
  /** Tasks that worked or work on the call, newest first. */
  listTaskIds(callId: string): Promise<readonly string[]>;
  updateOutcome(callId: string, outcome: CallOutcome, unitOfWork?: UnitOfWork): Promise<void>;
  updateAgent(callId: string, agentId: string): Promise<void>;
  insertLeg(callId: string, leg: CallLeg, unitOfWork?: UnitOfWork): Promise<void>;
  removeRecording(recordingId: string, unitOfWork?: UnitOfWork): Promise<void>;
  /** Removes the call with everything that hangs on it, its key among that; false when there is none. */
  removeCall(callId: string, unitOfWork: UnitOfWork): Promise<boolean>;
  /** Opens the call's sealer. @throws AppError `CALL_NOT_FOUND`, `SECURITY_DECRYPTION_FAILED` */
  openSealer(callId: string): Promise<CallSealer>;
}

type Executor = Kysely<DatabaseSchema>;

const SYNTHETIC: CallSource = "synthetic";

/** What is given a unit of work joins it; other reads do not see what it has not committed. */
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
      await executorOf(database, unitOfWork).insertInto("recording").values(toRecordingRow(recording)).execute();
    },
    async insertTask(callId, taskId, unitOfWork) {
      await lockCall(database, callId, unitOfWork);
      await executorOf(database, unitOfWork).insertInto("call_task").values({ call_id: callId, task_id: taskId }).execute();
    },
    hasCall: (callId) => hasCall(database, callId),
    findStatus: (callId, unitOfWork) => findStatus(database, callId, unitOfWork),
    findCall: async (callId) => (await findCalls(database.sql, [callId]))[0],
    findCalls: (callIds) => findCalls(database.sql, callIds),
    findSynthetic: (callIds) => findSynthetic(database.sql, callIds),
    listCalls: (page) => database.read((executor) => listCalls(executor, page)),
    async findRecording(recordingId) {
      const row = await database.sql.selectFrom("recording").selectAll().where("recording_id", "=", recordingId).executeTakeFirst();
      return row === undefined ? undefined : toRecording(row);
    },
    async listRecordings(callId, unitOfWork) {
      const rows = await executorOf(database, unitOfWork).selectFrom("recording").selectAll().where("call_id", "=", callId).orderBy("recording_id").execute();
      return rows.map(toRecording);
    },
    async listTaskIds(callId) {
      const rows = await database.sql.selectFrom("call_task").select("task_id").where("call_id", "=", callId).orderBy("task_id", "desc").execute();
      return rows.map((row) => row.task_id);
    },
    updateOutcome: (callId, outcome, unitOfWork) => updateOutcome(database, callId, outcome, unitOfWork),
    async updateAgent(callId, agentId) {
      await database.sql.updateTable("call").set({ agent_id: agentId }).where("call_id", "=", callId).execute();
    },
    insertLeg: (callId, leg, unitOfWork) => insertLeg(database, callId, leg, unitOfWork),
    async removeRecording(recordingId, unitOfWork) {
      await executorOf(database, unitOfWork).deleteFrom("recording").where("recording_id", "=", recordingId).execute();
    },
    async removeCall(callId, unitOfWork) {
      const result = await executorOf(database, unitOfWork).deleteFrom("call").where("call_id", "=", callId).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async openSealer(callId) {
      const row = await database.sql.selectFrom("call").select("wrapped_key").where("call_id", "=", callId).executeTakeFirst();
      if (row === undefined) throw new AppError("CALL_NOT_FOUND", "There is no such call.");
      return sealers.open(callId, row.wrapped_key);
    },
  };
}

async function findStatus(database: AppDatabase, callId: string, unitOfWork: UnitOfWork | undefined): Promise<WorkStatus | undefined> {
  const query = executorOf(database, unitOfWork).selectFrom("call").select("status").where("call_id", "=", callId);
  const row = await (unitOfWork === undefined ? query : lockRows(database, query)).executeTakeFirst();
  return row?.status as WorkStatus | undefined;
}

async function insertLeg(database: AppDatabase, callId: string, leg: CallLeg, unitOfWork?: UnitOfWork): Promise<void> {
  const row = { call_id: callId, stream_id: leg.streamId, channel: leg.channel };
  await executorOf(database, unitOfWork).insertInto("call_leg").values(row).execute();
}

async function updateOutcome(database: AppDatabase, callId: string, outcome: CallOutcome, unitOfWork?: UnitOfWork): Promise<void> {
  await executorOf(database, unitOfWork)
    .updateTable("call")
    .set({
      status: outcome.status,
      ...(outcome.endedAtMs === undefined ? {} : { ended_at_ms: outcome.endedAtMs }),
      ...(outcome.durationMs === undefined ? {} : { duration_ms: outcome.durationMs }),
      ...(outcome.languages === undefined ? {} : { languages: JSON.stringify(outcome.languages) }),
    })
    .where("call_id", "=", callId)
    .execute();
}

async function hasCall(database: AppDatabase, callId: string): Promise<boolean> {
  return (await database.sql.selectFrom("call").select("call_id").where("call_id", "=", callId).executeTakeFirst()) !== undefined;
}

async function findCalls(executor: Executor, callIds: readonly string[]): Promise<readonly CallRecord[]> {
  if (callIds.length === 0) return [];
  return withLegs(executor, await executor.selectFrom("call").selectAll().where("call_id", "in", callIds).execute());
}

async function findSynthetic(executor: Executor, callIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (callIds.length === 0) return new Set();
  const rows = await executor.selectFrom("call").select("call_id").where("source", "=", SYNTHETIC).where("call_id", "in", callIds).execute();
  return new Set(rows.map((row) => row.call_id));
}

async function listCalls(executor: Executor, { filter, after, limit }: CallPageRequest): Promise<readonly CallRecord[]> {
  let query = executor.selectFrom("call").selectAll().where(matchesFilter(filter));
  if (after !== undefined) {
    const { startedAtMs, callId } = after;
    query = query.where((eb) => eb.or([eb("started_at_ms", "<", startedAtMs), eb.and([eb("started_at_ms", "=", startedAtMs), eb("call_id", "<", callId)])]));
  }
  return withLegs(executor, await query.orderBy("started_at_ms", "desc").orderBy("call_id", "desc").limit(limit).execute());
}

/** A condition on rows of `call`, alone or joined: that it is not the service's own. */
export function notSynthetic(): Expression<SqlBool> {
  return expressionBuilder<DatabaseSchema, "call">()("call.source", "<>", SYNTHETIC);
}

/** A condition on rows of `call`, alone or joined. Synthetic calls meet it when it names their source. */
export function matchesFilter(filter: CallFilter): Expression<SqlBool> {
  const eb = expressionBuilder<DatabaseSchema, "call">();
  const conditions: Expression<SqlBool>[] = [];
  if (filter.status !== undefined) conditions.push(eb("call.status", "=", filter.status));
  conditions.push(filter.source === undefined ? notSynthetic() : eb("call.source", "=", filter.source));
  if (filter.agentId !== undefined) conditions.push(eb("call.agent_id", "=", filter.agentId));
  // The column is a JSON array of tags; a tag is letters, digits and hyphens, so this finds it whole or not at all. Tags
  // mean the same in any case, which databases do not agree on for `like`.
  if (filter.language !== undefined) conditions.push(sql<SqlBool>`lower(${sql.ref("call.languages")}) like ${`%"${filter.language.toLowerCase()}"%`}`);
  if (filter.startedFromMs !== undefined) conditions.push(eb("call.started_at_ms", ">=", filter.startedFromMs));
  if (filter.startedBeforeMs !== undefined) conditions.push(eb("call.started_at_ms", "<", filter.startedBeforeMs));
  return eb.and(conditions);
}

/** With what hangs on them: legs, and what was told of live ones. */
async function withLegs(executor: Executor, rows: readonly CallTable[]): Promise<readonly CallRecord[]> {
  if (rows.length === 0) return [];
  const callIds = rows.map((row) => row.call_id);
  const legs = await executor.selectFrom("call_leg").selectAll().where("call_id", "in", callIds).orderBy("stream_id").execute();
  const lives = await executor.selectFrom("live_call").select(["call_id", "extension", "queue_name"]).where("call_id", "in", callIds).execute();
  return rows.map((row) => {
    const live = lives.find((candidate) => candidate.call_id === row.call_id);
    const call = toCall(
      row,
      legs.filter((leg) => leg.call_id === row.call_id),
    );
    return {
      ...call,
      ...(typeof live?.extension === "string" ? { extension: live.extension } : {}),
      ...(typeof live?.queue_name === "string" ? { queue: live.queue_name } : {}),
    };
  });
}

function toRow(call: CallRecord, wrappedKey: SealedText): CallTable {
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

function toCall(row: CallTable, legs: readonly CallLegTable[]): CallRecord {
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

function toRecordingRow(recording: RecordingRecord): RecordingTable {
  return {
    recording_id: recording.recordingId,
    call_id: recording.callId,
    kind: recording.kind,
    audio_key: recording.audioKey,
    container: recording.container,
    byte_count: recording.byteCount,
    fingerprint: recording.fingerprint,
    created_at_ms: recording.createdAtMs,
  };
}

function toRecording(row: RecordingTable): RecordingRecord {
  return {
    recordingId: row.recording_id,
    callId: row.call_id,
    kind: row.kind as RecordingRecord["kind"],
    audioKey: row.audio_key,
    container: row.container,
    byteCount: row.byte_count,
    fingerprint: row.fingerprint,
    createdAtMs: row.created_at_ms,
  };
}
