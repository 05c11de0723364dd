/** Which calls have outlived a retention policy, legal hold, and removing a part of a call. */

import type { DeletedPart } from "../../core/call.js";
import { isEndedStatus, WORK_STATUSES } from "../../core/call.js";
import type { CallPosition } from "../../core/call-filter.js";
import type { SealedText } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { lockRows } from "../portable-sql.js";
import { executorOf, type UnitOfWork } from "../unit-of-work.js";

/** What is left of a call. */
export interface CallRemains {
  readonly legalHold: boolean;
  readonly hasTexts: boolean;
  readonly hasAudio: boolean;
}

export interface CallExpiryRepository {
  /** Ended calls, not on hold, begun before a time, that still have the part; oldest first, after a position. */
  listExpired(part: DeletedPart, startedBeforeMs: number, page: { readonly after?: CallPosition; readonly limit: number }): Promise<readonly CallPosition[]>;
  /** In the unit of work the call stays as it is until that commits. Undefined: there is no such call. */
  lockRemains(callId: string, unitOfWork: UnitOfWork): Promise<CallRemains | undefined>;
  /** Transcript, analyses, stages, events, feedback and deliveries still owed; the call's record stays. */
  removeTexts(callId: string, unitOfWork: UnitOfWork): Promise<void>;
  removeRecordings(callId: string, unitOfWork: UnitOfWork): Promise<void>;
  replaceKey(callId: string, wrappedKey: SealedText, unitOfWork: UnitOfWork): Promise<void>;
  /** False when there is no such call. */
  setLegalHold(callId: string, legalHold: boolean): Promise<boolean>;
}

/** Where what was said lies. */
const TEXT_TABLES = ["transcript_segment", "analysis", "analysis_stage", "call_event", "agent_feedback", "call_text"] as const;
const ENDED = WORK_STATUSES.filter(isEndedStatus);

/** Removals join their unit of work; the rest are transactions of their own. */
export function createCallExpiryRepository({ database }: { readonly database: AppDatabase }): CallExpiryRepository {
  return {
    listExpired: (part, startedBeforeMs, page) => listExpired(database, part, startedBeforeMs, page),
    async lockRemains(callId, unitOfWork) {
      const { transaction } = unitOfWork;
      const row = await lockRows(database, transaction.selectFrom("call").select("legal_hold").where("call_id", "=", callId)).executeTakeFirst();
      if (row === undefined) return undefined;
      const has = async (table: (typeof TEXT_TABLES)[number] | "recording"): Promise<boolean> =>
        (await transaction.selectFrom(table).select("call_id").where("call_id", "=", callId).limit(1).executeTakeFirst()) !== undefined;
      let hasTexts = false;
      for (const table of TEXT_TABLES) hasTexts ||= await has(table);
      return { legalHold: row.legal_hold === 1, hasTexts, hasAudio: await has("recording") };
    },
    async removeTexts(callId, unitOfWork) {
      const executor = executorOf(database, unitOfWork);
      for (const table of [...TEXT_TABLES, "call_text_due", "webhook_cursor"] as const)
        await executor.deleteFrom(table).where("call_id", "=", callId).execute();
    },
    async removeRecordings(callId, unitOfWork) {
      await executorOf(database, unitOfWork).deleteFrom("recording").where("call_id", "=", callId).execute();
    },
    async replaceKey(callId, wrappedKey, unitOfWork) {
      await executorOf(database, unitOfWork).updateTable("call").set({ wrapped_key: wrappedKey }).where("call_id", "=", callId).execute();
    },
    async setLegalHold(callId, legalHold) {
      const hold = legalHold ? 1 : 0;
      // What MySQL counts is rows changed, not rows found.
      await database.sql.updateTable("call").set({ legal_hold: hold }).where("call_id", "=", callId).execute();
      return (await database.sql.selectFrom("call").select("call_id").where("call_id", "=", callId).executeTakeFirst()) !== undefined;
    },
  };
}

async function listExpired(
  { sql }: AppDatabase,
  part: DeletedPart,
  startedBeforeMs: number,
  { after, limit }: { readonly after?: CallPosition; readonly limit: number },
): Promise<readonly CallPosition[]> {
  let query = sql.selectFrom("call").select(["call_id", "started_at_ms"]).where("started_at_ms", "<", startedBeforeMs);
  query = query.where("legal_hold", "=", 0).where("status", "in", ENDED);
  if (after !== undefined) {
    const { startedAtMs, callId } = after;
    query = query.where((eb) => eb.or([eb("started_at_ms", ">", startedAtMs), eb.and([eb("started_at_ms", "=", startedAtMs), eb("call_id", ">", callId)])]));
  }
  const tables = part === "audio" ? (["recording"] as const) : part === "texts" ? TEXT_TABLES : [];
  if (tables.length > 0) {
    query = query.where((eb) =>
      eb.or(tables.map((table) => eb.exists(eb.selectFrom(table).select(`${table}.call_id`).whereRef(`${table}.call_id`, "=", "call.call_id")))),
    );
  }
  const rows = await query.orderBy("started_at_ms").orderBy("call_id").limit(limit).execute();
  return rows.map((row) => ({ callId: row.call_id, startedAtMs: row.started_at_ms }));
}
