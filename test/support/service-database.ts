/** The database of a service that runs, looked into and changed from outside as an operator or an attacker would. */
import { join } from "node:path";
import { openAdministration } from "../../src/app/administration.js";
import { loadConfig } from "../../src/config/load-config.js";
import { newId } from "../../src/core/ids.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import type { AuditVerification } from "../../src/storage/repositories/audit-repository.js";
import type { CallTable } from "../../src/storage/schema.js";
import type { TestGateway } from "./start-gateway.js";

export async function withDatabase<T>({ dataDirectory }: TestGateway, use: (database: AppDatabase) => Promise<T>): Promise<T> {
  const database = openDatabase({ path: join(dataDirectory, "openchs.db") });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

export interface AuditLine {
  readonly seq: number;
  readonly action: string;
  readonly target: string;
  readonly role: string;
  readonly outcome: string;
}

/** Oldest first. */
export function auditLines(gateway: TestGateway, afterSeq = 0): Promise<readonly AuditLine[]> {
  return withDatabase(gateway, ({ sql }) =>
    sql.selectFrom("audit_record").select(["seq", "action", "target", "role", "outcome"]).where("seq", ">", afterSeq).orderBy("seq").execute(),
  );
}

export async function lastAuditSeq(gateway: TestGateway): Promise<number> {
  return (await auditLines(gateway)).at(-1)?.seq ?? 0;
}

/** As `openchs-ai audit verify` does. */
export async function verifyAudit({ dataDirectory }: TestGateway): Promise<AuditVerification> {
  const administration = await openAdministration(loadConfig({ argv: { DATA_DIR: dataDirectory } }), { create: false });
  const verification = await administration.verifyAudit();
  await administration.close();
  return verification;
}

export type CallOfHistory = Partial<Pick<CallTable, "call_id" | "started_at_ms" | "status" | "source" | "languages" | "agent_id">>;

/** Calls of the past, for lists: like a stored one but for what is given, with no recording and no task. */
export function insertCalls(gateway: TestGateway, likeCallId: string, calls: readonly CallOfHistory[]): Promise<readonly string[]> {
  return withDatabase(gateway, async ({ sql }) => {
    const like = await sql.selectFrom("call").selectAll().where("call_id", "=", likeCallId).executeTakeFirstOrThrow();
    const rows = calls.map((call): CallTable => ({ ...like, call_id: newId(), ...call }));
    await sql.insertInto("call").values(rows).execute();
    return rows.map((row) => row.call_id);
  });
}
