/** Puts jobs into their table; a job whose idempotency key is taken is left out and the earlier one is named. */
import { type CompiledQuery, type Kysely, sql } from "kysely";
import { AppError } from "../../../core/errors.js";
import type { AppDatabase } from "../../database.js";
import { compileOnce } from "../../portable-sql.js";
import type { DatabaseSchema, JobTable } from "../../schema.js";
import { executorOf, inRepeatedTransaction, type UnitOfWork } from "../../unit-of-work.js";

interface InsertedJob {
  readonly jobId: string;
  readonly isDuplicate: boolean;
}

export type JobInsert = (rows: readonly JobTable[], unitOfWork?: UnitOfWork) => Promise<readonly InsertedJob[]>;

export function createJobInsert(database: AppDatabase): JobInsert {
  if (database.dialect === "mysql") return (rows, unitOfWork) => insertOnMysql(database, rows, unitOfWork);
  const compile = compileOnce((row: JobTable) =>
    database.sql
      .insertInto("job")
      .values(row)
      .onConflict((conflict) => conflict.columns(["enqueued_in", "idempotency_key"]).where("idempotency_key", "is not", null).doNothing())
      .returning("job_id"),
  );
  return async (rows, unitOfWork) => {
    const compiled = rows.map(compile);
    const counts = unitOfWork === undefined ? (await database.batch(compiled)).map((result) => result.rows.length) : await inTransaction(unitOfWork, compiled);
    return Promise.all(
      rows.map(async (row, index) => {
        if (counts[index] === 1) return { jobId: row.job_id, isDuplicate: false };
        return { jobId: await findHolder(executorOf(database, unitOfWork), row), isDuplicate: true };
      }),
    );
  };
}

async function inTransaction(unitOfWork: UnitOfWork, compiled: readonly CompiledQuery[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const query of compiled) counts.push((await unitOfWork.transaction.executeQuery(query)).rows.length);
  return counts;
}

/** It has neither a conflict that names its index nor an answer to an insert, so the holder of the key is asked for. */
function insertOnMysql(database: AppDatabase, rows: readonly JobTable[], unitOfWork: UnitOfWork | undefined): Promise<readonly InsertedJob[]> {
  const insertAll = async (db: Kysely<DatabaseSchema>): Promise<readonly InsertedJob[]> => {
    const inserted: InsertedJob[] = [];
    for (const row of rows) {
      const insert = db.insertInto("job").values(row);
      if (row.idempotency_key === null) await insert.execute();
      else await insert.onDuplicateKeyUpdate({ job_id: sql.ref<string>("job_id") }).execute();
      const jobId = row.idempotency_key === null ? row.job_id : await findHolder(db, row);
      inserted.push({ jobId, isDuplicate: jobId !== row.job_id });
    }
    return inserted;
  };
  return unitOfWork === undefined ? inRepeatedTransaction(database, insertAll) : insertAll(unitOfWork.transaction);
}

async function findHolder(db: Kysely<DatabaseSchema>, row: JobTable): Promise<string> {
  const query = db.selectFrom("job").select("job_id").where("enqueued_in", "=", row.enqueued_in).where("idempotency_key", "=", row.idempotency_key);
  const holder = await query.executeTakeFirst();
  // Another job has this id, or the one with the key has been removed this moment.
  if (holder === undefined) throw new AppError("STORAGE_CONFLICT", "The job was not stored: its id is taken, or its key was until now.", { retryable: true });
  return holder.job_id;
}
