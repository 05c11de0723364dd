/** Masked texts of calls, found by their words, newest call first. Texts are sealed, words are digests: nothing is clear. */
import { type Kysely, type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from "kysely";
import type { CallFilter } from "../../core/call-filter.js";
import { AppError } from "../../core/errors.js";
import type { SearchTerm } from "../../core/text/search-terms.js";
import type { CallSealer, SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../database.js";
import { lockCall } from "../portable-sql.js";
import { matchesFilter, notSynthetic } from "../repositories/call-repository.js";
import type { DatabaseSchema } from "../schema.js";
import type { UnitOfWork } from "../unit-of-work.js";
import { createWordDigest } from "./word-digest.js";
import { containsWords, hasWords, searchWords } from "./word-match.js";

/** A masked line of a call, and when it begins in it. */
export interface TextPassage {
  readonly startMs: number;
  readonly text: string;
}

export interface CallText {
  readonly callId: string;
  readonly passages: readonly TextPassage[];
}

/** A call whose newest analysis is to be indexed. */
export interface DueText {
  readonly callId: string;
  readonly startedAtMs: number;
  /** Null: its analyses were deleted. */
  readonly taskId: string | null;
}

export interface FoundText extends CallText {
  /** Where the next page begins after it. */
  readonly position: number;
}

export interface IndexedText extends CallText {
  readonly sealer: CallSealer;
  readonly startedAtMs: number;
  /** It is found by these. */
  readonly words: readonly string[];
}

export interface TextSearch {
  /** All of them are in a text that is found. */
  readonly terms: readonly SearchTerm[];
  readonly filter: CallFilter;
  readonly beforePosition?: number;
  readonly limit: number;
}

export interface CallTextRepository {
  /** Calls whose texts are to be indexed, in the order of their ids. */
  listDue(page: { readonly afterCallId?: string; readonly limit: number }): Promise<readonly DueText[]>;
  /** As it is now; undefined when the call is gone. In the unit of work it stays so until that commits. */
  lockDue(callId: string, unitOfWork: UnitOfWork): Promise<DueText | undefined>;
  /** Stores a text in place of the one there was, if any, and the call is not due any more. */
  save(text: IndexedText, unitOfWork: UnitOfWork): Promise<void>;
  /** There is nothing to index. */
  remove(callId: string, unitOfWork: UnitOfWork): Promise<void>;
  /** Removes every text; all calls are due again. */
  removeAll(unitOfWork: UnitOfWork): Promise<void>;
  /** Newest call first. */
  search(search: TextSearch): Promise<readonly FoundText[]>;
}

/** What they are sealed as. */
const PASSAGES = "call_text.passages";
/** Calls of one millisecond that a position tells apart. */
const PLACES_PER_MS = 1_000;
/** A page of words that every fourth call has is among the first of them, of every twentieth among the second. */
const NEWEST_TEXTS = [200, 1_300];
/** More are looked at only where what was found so far promises a page, and some more for chance. */
const PROMISE = 1.2;

export interface CallTextRepositoryOptions {
  readonly database: AppDatabase;
  readonly sealers: SealerFactory;
  /** 32 bytes, for this alone. */
  readonly digestKey: Buffer;
}

/** Searches see what is committed. */
export function createCallTextRepository({ database, sealers, digestKey }: CallTextRepositoryOptions): CallTextRepository {
  const digest = createWordDigest(digestKey);
  return {
    async listDue({ afterCallId = "", limit }) {
      const rows = await selectSources(database.sql)
        .innerJoin("call_text_due", "call_text_due.call_id", "call.call_id")
        .where("call.call_id", ">", afterCallId)
        .where(notSynthetic())
        .orderBy("call.call_id")
        .limit(limit)
        .execute();
      return rows.map(toDueText);
    },
    async lockDue(callId, unitOfWork) {
      await lockCall(database, callId, unitOfWork);
      const row = await selectSources(unitOfWork.transaction).where("call.call_id", "=", callId).executeTakeFirst();
      return row === undefined ? undefined : toDueText(row);
    },
    async save({ callId, sealer, startedAtMs, passages, words }, unitOfWork) {
      const { transaction } = unitOfWork;
      await remove(callId, unitOfWork);
      const row = {
        position: await freePosition(startedAtMs, unitOfWork),
        call_id: callId,
        passages_sealed: sealer.seal(PASSAGES, JSON.stringify(passages.map(({ startMs, text }) => [startMs, text]))),
        words: digest.ofText(words).join(" "),
      };
      await transaction.insertInto("call_text").values(row).execute();
    },
    remove,
    async removeAll({ transaction }) {
      const known = transaction.selectFrom("call_text_due").select("call_text_due.call_id");
      await transaction
        .insertInto("call_text_due")
        .columns(["call_id"])
        .expression(transaction.selectFrom("call_text").select("call_text.call_id").where("call_text.call_id", "not in", known))
        .execute();
      await transaction.deleteFrom("call_text").execute();
    },
    async search(search) {
      const words = search.terms.map(digest.ofTerm);
      const rows = await searchWords(database, (executor) => selectFound(database, executor, { ...search, words }));
      return rows.map((row) => {
        const passages = sealers.open(row.call_id, row.wrapped_key).open(PASSAGES, row.passages_sealed);
        return { callId: row.call_id, position: row.position, passages: toPassages(passages) };
      });
    },
  };
}

type WordSearch = Omit<TextSearch, "terms"> & { readonly words: readonly string[] };

/** Places first, texts then: what is sorted is narrow, however many calls have a word. */
async function selectFound(database: AppDatabase, executor: Kysely<DatabaseSchema>, search: WordSearch) {
  const newest = database.dialect === "mysql" ? await selectNewestPlaces(executor, search) : undefined;
  const indexed = hasWords(database, { table: "call_text", key: "position", column: "words" }, search.words);
  const places = newest ?? (await selectPlaces(executor.selectFrom("call_text"), search, indexed));
  if (places.length === 0) return [];
  return executor
    .selectFrom("call_text")
    .innerJoin("call", "call.call_id", "call_text.call_id")
    .select(["call_text.position", "call_text.call_id", "call_text.passages_sealed", "call.wrapped_key"])
    .where(
      "call_text.position",
      "in",
      places.map(({ position }) => position),
    )
    .orderBy("call_text.position", "desc")
    .execute();
}

/**
 * MariaDB's index gives every text that has a word, thousands where it is a frequent one, to take the newest fifty of. Where those
 * are all among the newest texts, to read these is quicker.
 *
 * @returns undefined when they are not
 */
async function selectNewestPlaces(executor: Kysely<DatabaseSchema>, search: WordSearch) {
  for (const [index, count] of NEWEST_TEXTS.entries()) {
    const places = await selectPlaces(newestTexts(executor, search, count), search, containsWords("call_text.words", search.words));
    if (places.length === search.limit) return places;
    const nextCount = NEWEST_TEXTS[index + 1] ?? 0;
    if ((places.length * nextCount) / count < PROMISE * search.limit) return undefined;
  }
  return undefined;
}

function newestTexts(executor: Kysely<DatabaseSchema>, { beforePosition }: WordSearch, count: number) {
  let texts = executor.selectFrom("call_text").select(["position", "call_id", "words"]);
  if (beforePosition !== undefined) texts = texts.where("position", "<", beforePosition);
  return executor.selectFrom(texts.orderBy("position", "desc").limit(count).as("call_text"));
}

function selectPlaces(
  texts: SelectQueryBuilder<DatabaseSchema, "call_text", object>,
  { filter, beforePosition, limit }: WordSearch,
  hasThem: RawBuilder<SqlBool>,
) {
  let query = texts.innerJoin("call", "call.call_id", "call_text.call_id").select("call_text.position").where(hasThem).where(matchesFilter(filter));
  if (beforePosition !== undefined) query = query.where("call_text.position", "<", beforePosition);
  return query.orderBy("call_text.position", "desc").limit(limit).execute();
}

function selectSources(executor: Kysely<DatabaseSchema>) {
  return executor
    .selectFrom("call")
    .select(["call.call_id", "call.started_at_ms"])
    .select((eb) =>
      eb
        .selectFrom("analysis")
        .whereRef("analysis.call_id", "=", "call.call_id")
        .select(({ fn }) => fn.max<string | null>("analysis.task_id").as("newest"))
        .as("task_id"),
    );
}

function toDueText(row: { readonly call_id: string; readonly started_at_ms: number; readonly task_id: string | null }): DueText {
  return { callId: row.call_id, startedAtMs: row.started_at_ms, taskId: row.task_id };
}

async function remove(callId: string, { transaction }: UnitOfWork): Promise<void> {
  for (const table of ["call_text", "call_text_due"] as const) await transaction.deleteFrom(table).where("call_id", "=", callId).execute();
}

/** The lowest of the millisecond that is free; two writers that choose the same are a conflict, and one of them tries again. */
async function freePosition(startedAtMs: number, { transaction }: UnitOfWork): Promise<number> {
  const first = startedAtMs * PLACES_PER_MS;
  const taken = await transaction
    .selectFrom("call_text")
    .select(sql<number | null>`max(position)`.as("last"))
    .where(sql<SqlBool>`position between ${first} and ${first + PLACES_PER_MS - 1}`)
    .executeTakeFirst();
  const position = taken?.last === null || taken?.last === undefined ? first : taken.last + 1;
  if (position >= first + PLACES_PER_MS) throw new AppError("STORAGE_CONFLICT", "More calls begin in one millisecond than can be told apart.");
  return position;
}

function toPassages(json: string): readonly TextPassage[] {
  return (JSON.parse(json) as readonly [number, string][]).map(([startMs, text]) => ({ startMs, text }));
}
