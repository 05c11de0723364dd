/** The events of calls: appended under the next number of their call, never changed. */
import { CALL_EVENT_TYPES, type CallEvent, type NewCallEvent } from "../../core/call-event.js";
import type { CallSealer } from "../../security/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

interface CallWithSealer {
  readonly callId: string;
  readonly sealer: CallSealer;
}

export interface CallEventRepository {
  /** Numbers them after the call's last; visible when the unit of work commits. */
  append(call: CallWithSealer, events: readonly NewCallEvent[], atMs: number, unitOfWork: UnitOfWork): Promise<void>;
  /** At most `limit` events with `seq` above `afterSeq`, in order. */
  list(call: CallWithSealer, range: { readonly afterSeq: number; readonly limit: number }): Promise<readonly CallEvent[]>;
  /** Number of the call's last event; 0 when there is none. */
  lastSeq(callId: string): Promise<number>;
}

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
      let seq = await lastSeq(callId, unitOfWork);
      for (const { type, payload } of events) {
        seq += 1;
        const payload_sealed = sealer.seal(eventContext(seq, type), JSON.stringify(payload));
        await executorOf(database, unitOfWork).insertInto("call_event").values({ call_id: callId, seq, type, at_ms: atMs, payload_sealed }).execute();
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
      return rows.map(({ seq, type, at_ms, payload_sealed }) => {
        const payload: unknown = JSON.parse(sealer.open(eventContext(seq, type), payload_sealed));
        return { seq, callId, atMs: at_ms, type: CALL_EVENT_TYPES.find((known) => known === type), payload } as CallEvent;
      });
    },
    lastSeq: (callId) => lastSeq(callId),
  };
}

function eventContext(seq: number, type: string): string {
  return `event/${seq}/${type}`;
}
