/** Events of calls, numbered per call, sealed like everything said; and which tasks work on a call. Not breaking. */
import { type Kysely, sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("call_event")
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("type", "varchar(32)", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("payload_sealed", sql.raw(types.longText), (column) => column.notNull())
    .addPrimaryKeyConstraint("call_event_pk", ["call_id", "seq"])
    .execute();
  await db.schema
    .createTable("call_task")
    .addColumn("task_id", "varchar(36)", (column) => column.primaryKey())
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().references("call.call_id").onDelete("cascade"))
    .execute();
  await db.schema.createIndex("call_task_call").on("call_task").columns(["call_id", "task_id"]).execute();
  await listEarlierTasks(db as Kysely<EarlierTables>);
}

interface EarlierTables {
  readonly job: { readonly job_id: string; readonly job_name: string; readonly payload: string };
  readonly call: { readonly call_id: string };
  readonly call_task: { readonly task_id: string; readonly call_id: string };
}

/** Until now only the job's payload knew its call. */
async function listEarlierTasks(db: Kysely<EarlierTables>): Promise<void> {
  const jobs = await db.selectFrom("job").select(["job_id", "payload"]).where("job_name", "=", "process-recording").execute();
  for (const { job_id, payload } of jobs) {
    const { callId } = JSON.parse(payload) as { readonly callId: string };
    const call = await db.selectFrom("call").select("call_id").where("call_id", "=", callId).executeTakeFirst();
    if (call !== undefined) await db.insertInto("call_task").values({ task_id: job_id, call_id: callId }).execute();
  }
}
