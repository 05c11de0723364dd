/** The events of calls: appended under the next number of their call, never changed. */
import { CALL_EVENT_TYPES, type CallEvent, type CallEventType, type NewCallEvent } from "../../core/call-event.js";
import { AppError } from "../../core/errors.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { compileOnce, lockCall } from "../portable-sql.js";
import type { CallEventTable } from "../schema.js";
import { executorOf, inUnitOfWork, type UnitOfWork } from "../unit-of-work.js";

interface CallWithSealer {
  readonly callId: string;
  readonly sealer: CallSealer;
}

/** New events of one call. */
export interface CallEvents {
  readonly call: CallWithSealer;
  readonly events: readonly NewCallEvent[];
}

export interface CallEventRepository {
  /** Numbers them after the call's last; visible when the unit of work commits. */
  append(call: CallWithSealer, events: readonly NewCallEvent[], atMs: number, unitOfWork: UnitOfWork): Promise<void>;
  /**
   * Appends to several calls, each named once, in one transaction and with nothing else in it: the quickest way for calls that run.
   *
   * @throws AppError `STORAGE_CONFLICT` when one of them is not there; nothing is stored then
   */
  appendTogether(entries: readonly CallEvents[], atMs: number): Promise<void>;
  /** All events of these types, in order. In a unit of work, no other comes in between until it commits. */
  listOfTypes(call: CallWithSealer, types: readonly CallEventType[], unitOfWork?: UnitOfWork): Promise<readonly CallEvent[]>;
  /** At most `limit` events with `seq` above `afterSeq`, in order. */
  list(call: CallWithSealer, range: { readonly afterSeq: number; readonly limit: number }): Promise<readonly CallEvent[]>;
  /** Number of the call's last event; 0 when there is none. */
  lastSeq(callId: string): Promise<number>;
}

/** Of one statement: databases limit the values in it. */
const ROWS_AT_ONCE = 100;
/** Calls whose last number is remembered; those that were written to longest ago are forgotten. */
const REMEMBERED_CALLS = 1_000;

/** A number is read and taken in one transaction, so appending needs a unit of work or makes one. */
export function createCallEventRepository(options: { readonly database: AppDatabase }): CallEventRepository {
  const { database } = options;
  const lastSeq = async (callId: string, unitOfWork?: UnitOfWork): Promise<number> => {
    const row = await executorOf(database, unitOfWork)
      .selectFrom("call_event")
      .select(({ fn }) => fn.max("seq").as("seq"))
      .where("call_id", "=", callId)
      .executeTakeFirst();
    return row?.seq ?? 0;
  };
  const append = async (added: CallEvents, atMs: number, unitOfWork: UnitOfWork): Promise<number> => {
    const { callId } = added.call;
    // The next number is read and taken while nobody else can do so, and numbers become visible in their order.
    await lockCall(database, callId, unitOfWork);
    const before = await lastSeq(callId, unitOfWork);
    const rows = rowsOf(added, { before, atMs });
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      await executorOf(database, unitOfWork)
        .insertInto("call_event")
        .values(rows.slice(from, from + ROWS_AT_ONCE))
        .execute();
    }
    return before + added.events.length;
  };
  return {
    async append(call, events, atMs, unitOfWork) {
      await append({ call, events }, atMs, unitOfWork);
    },
    appendTogether: createAppendTogether(database, append),
    async list({ callId, sealer }, { afterSeq, limit }) {
      const rows = await database.sql
        .selectFrom("call_event")
        .selectAll()
        .where("call_id", "=", callId)
        .where("seq", ">", afterSeq)
        .orderBy("seq")
        .limit(limit)
        .execute();
      return rows.map((row) => toEvent(sealer, row));
    },
    async listOfTypes({ callId, sealer }, types, unitOfWork) {
      await lockCall(database, callId, unitOfWork);
      const query = executorOf(database, unitOfWork).selectFrom("call_event").selectAll();
      const rows = await query.where("call_id", "=", callId).where("type", "in", types).orderBy("seq").execute();
      return rows.map((row) => toEvent(sealer, row));
    },
    lastSeq: (callId) => lastSeq(callId),
  };
}

/**
 * Remembers the last number of each call, and takes it that none but this process appends: then all goes to SQLite at once
 * and is asked nothing before. Who was wrong finds the number taken. Only SQLite, which has one writer at a time: elsewhere
 * another's transaction, which has locked the call, would find its own number taken.
 */
function createAppendTogether(
  database: AppDatabase,
  append: (added: CallEvents, atMs: number, unitOfWork: UnitOfWork) => Promise<number>,
): CallEventRepository["appendTogether"] {
  const lastSeqs = new Map<string, number>();
  const compileInsert = compileOnce((row: CallEventTable) => database.sql.insertInto("call_event").values(row));
  const remember = (callId: string, seq: number): void => {
    lastSeqs.delete(callId);
    lastSeqs.set(callId, seq);
    const [oldest] = lastSeqs.keys();
    if (lastSeqs.size > REMEMBERED_CALLS && oldest !== undefined) lastSeqs.delete(oldest);
  };
  const appendAsRemembered = async (entries: readonly CallEvents[], atMs: number): Promise<boolean> => {
    if (database.dialect !== "sqlite" || !entries.every(({ call }) => lastSeqs.has(call.callId))) return false;
    const numbered = entries.map((added) => ({ added, before: lastSeqs.get(added.call.callId) ?? 0 }));
    try {
      await database.batch(numbered.flatMap(({ added, before }) => rowsOf(added, { before, atMs }).map(compileInsert)));
    } catch (error) {
      for (const { call } of entries) lastSeqs.delete(call.callId);
      if (error instanceof AppError && error.code === "STORAGE_CONFLICT") return false;
      throw error;
    }
    for (const { added, before } of numbered) remember(added.call.callId, before + added.events.length);
    return true;
  };
  return async (entries, atMs) => {
    if (await appendAsRemembered(entries, atMs)) return;
    // Each call is locked while its events are numbered: in one order by all, nobody waits for another that waits for them.
    const inOrder = [...entries].sort((a, b) => (a.call.callId < b.call.callId ? -1 : 1));
    const seqs = await inUnitOfWork(database, async (unitOfWork) => {
      const last: number[] = [];
      for (const added of inOrder) last.push(await append(added, atMs, unitOfWork));
      return last;
    });
    for (const [index, { call }] of inOrder.entries()) remember(call.callId, seqs[index] ?? 0);
  };
}

function rowsOf({ call, events }: CallEvents, { before, atMs }: { readonly before: number; readonly atMs: number }): readonly CallEventTable[] {
  return events.map(({ type, payload }, index) => {
    const seq = before + index + 1;
    return { call_id: call.callId, seq, type, at_ms: atMs, payload_sealed: call.sealer.seal(eventContext(seq, type), JSON.stringify(payload)) };
  });
}

function toEvent(sealer: CallSealer, { call_id, seq, type, at_ms, payload_sealed }: CallEventTable): CallEvent {
  const payload: unknown = JSON.parse(sealer.open(eventContext(seq, type), payload_sealed));
  return { seq, callId: call_id, atMs: at_ms, type: CALL_EVENT_TYPES.find((known) => known === type), payload } as CallEvent;
}

function eventContext(seq: number, type: string): string {
  return `event/${seq}/${type}`;
}
