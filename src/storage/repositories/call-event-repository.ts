/** The events of calls: appended under the next number of their call, never changed. */
import { CALL_EVENT_TYPES, type CallEvent, type CallEventType, type NewCallEvent } from "../../core/call-event.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { lockCall } from "../portable-sql.js";
import type { CallEventTable } from "../schema.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

interface CallWithSealer {
  readonly callId: string;
  readonly sealer: CallSealer;
}

export interface CallEventRepository {
  /** Numbers them after the call's last; visible when the unit of work commits. */
  append(call: CallWithSealer, events: readonly NewCallEvent[], atMs: number, unitOfWork: UnitOfWork): Promise<void>;
  /** All events of these types, in order. In a unit of work, no other comes in between until it commits. */
  listOfTypes(call: CallWithSealer, types: readonly CallEventType[], unitOfWork?: UnitOfWork): Promise<readonly CallEvent[]>;
  /** At most `limit` events with `seq` above `afterSeq`, in order. */
  list(call: CallWithSealer, range: { readonly afterSeq: number; readonly limit: number }): Promise<readonly CallEvent[]>;
  /** Number of the call's last event; 0 when there is none. */
  lastSeq(callId: string): Promise<number>;
}

/** Of one statement: databases limit the values in it. */
const ROWS_AT_ONCE = 100;

/** Appending needs a unit of work, so that a number is read and taken in one transaction. */
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
  return {
    async append({ callId, sealer }, events, atMs, unitOfWork) {
      // The next number is read and taken while nobody else can do so, and numbers become visible in their order.
      await lockCall(database, callId, unitOfWork);
      const before = await lastSeq(callId, unitOfWork);
      const rows = events.map(({ type, payload }, index) => {
        const seq = before + index + 1;
        return { call_id: callId, seq, type, at_ms: atMs, payload_sealed: sealer.seal(eventContext(seq, type), JSON.stringify(payload)) };
      });
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await executorOf(database, unitOfWork)
          .insertInto("call_event")
          .values(rows.slice(from, from + ROWS_AT_ONCE))
          .execute();
      }
    },
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

function toEvent(sealer: CallSealer, { call_id, seq, type, at_ms, payload_sealed }: CallEventTable): CallEvent {
  const payload: unknown = JSON.parse(sealer.open(eventContext(seq, type), payload_sealed));
  return { seq, callId: call_id, atMs: at_ms, type: CALL_EVENT_TYPES.find((known) => known === type), payload } as CallEvent;
}

function eventContext(seq: number, type: string): string {
  return `event/${seq}/${type}`;
}
