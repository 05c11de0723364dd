/** Which process takes a live call, where several do: another finishes the calls of one that died. Not breaking. */
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("live_call").addColumn("stream_id", "varchar(80)").execute();
}
