/** Masked texts of calls, to be searched; the calls there are become due to be read. Not breaking. */
import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { ColumnTypes } from "../dialects/column-types.js";

export async function up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable("call_text")
    // Rises with the time the call began: pages by recency need no sorting.
    .addColumn("position", sql.raw(types.numberKey))
    .addColumn("call_id", "varchar(128)", (column) => column.notNull().unique().references("call.call_id").onDelete("cascade"))
    .addColumn("passages_sealed", sql.raw(types.longText), (column) => column.notNull())
    .addColumn("words", sql.raw(types.longText), (column) => column.notNull())
    .execute();
  for (const statement of types.wordIndex({ table: "call_text", key: "position", column: "words" })) await sql.raw(statement).execute(db);
  await db.schema
    .createTable("call_text_due")
    .addColumn("call_id", "varchar(128)", (column) => column.primaryKey().references("call.call_id").onDelete("cascade"))
    .execute();
  const missing = sql`not exists (select 1 from call_text_due where call_text_due.call_id = analysis.call_id)`;
  await sql`insert into call_text_due (call_id) select distinct call_id from analysis where ${missing}`.execute(db);
}
