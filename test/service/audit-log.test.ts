import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/security/audit-record.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { createAuditRepository } from "../../src/storage/repositories/audit-repository.js";
import { openTestDatabase } from "../support/test-database.js";

const KEY = Buffer.alloc(32, 5);
const COUNT = 200;

const entry = (index: number): AuditEntry => ({
  ...{ atMs: 1_700_000_000_000 + index, actorId: `key-${index % 7}`, role: "agent", action: "task.read", target: `task-${index}` },
  outcome: index % 3 === 0 ? "denied" : "allowed",
});

/** A log of two hundred entries that came at the same time. */
async function openLog() {
  const opened = await openTestDatabase();
  const outcomes: string[] = [];
  const audit = createAuditRepository({ database: opened.database, key: KEY, onAppend: (outcome) => outcomes.push(outcome) });
  await Promise.all(Array.from({ length: COUNT }, (_, index) => audit.append(entry(index))));
  return { ...opened, audit, outcomes };
}

const run = (database: AppDatabase, statement: string) => sql.raw(statement).execute(database.sql);

describe("the audit log", () => {
  it("keeps every entry of many that come at once, in one whole chain", async () => {
    const { audit, database, outcomes } = await openLog();
    expect(await audit.verify()).toEqual({ recordCount: COUNT, brokenAtSeq: null });
    const records = await database.sql.selectFrom("audit_record").selectAll().orderBy("seq").execute();
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: COUNT }, (_, index) => index + 1));
    expect(new Set(records.map(({ target }) => target)).size).toBe(COUNT);
    expect(outcomes.filter((outcome) => outcome === "denied")).toHaveLength(67);
  });

  it("is whole while it is empty", async () => {
    const { database } = await openTestDatabase();
    expect(await createAuditRepository({ database, key: KEY }).verify()).toEqual({ recordCount: 0, brokenAtSeq: null });
  });

  it("goes on where it was after a restart", async () => {
    const { path } = await openLog();
    const database = openDatabase({ path });
    const audit = createAuditRepository({ database, key: KEY });
    await audit.append(entry(COUNT));
    expect(await audit.verify()).toEqual({ recordCount: COUNT + 1, brokenAtSeq: null });
    await database.close();
  });

  it.each([
    "at_ms = at_ms + 1",
    "actor_id = 'key-x'",
    "role = 'admin'",
    "action = 'transcript.read'",
    "target = 'other'",
    "outcome = 'other'",
    "mac = previous_mac",
    "previous_mac = mac",
  ])("finds the record that was changed by %s", async (change) => {
    const { audit, database } = await openLog();
    await run(database, `update audit_record set ${change} where seq = 77`);
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: 77 });
  });

  it.each([1, 100, COUNT])("finds that record %i of two hundred was deleted", async (seq) => {
    const { audit, database } = await openLog();
    await run(database, `delete from audit_record where seq = ${seq}`);
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: seq });
  });

  it("finds a deleted record although the later ones were numbered anew", async () => {
    const { audit, database } = await openLog();
    await run(database, "delete from audit_record where seq = 100");
    await run(database, "update audit_record set seq = seq + 10000 where seq > 100");
    await run(database, "update audit_record set seq = seq - 10001 where seq > 10000");
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: 100 });
  });

  it("finds a record inserted between two others", async () => {
    const { audit, database } = await openLog();
    await run(database, "update audit_record set seq = seq + 10000 where seq >= 50");
    await run(database, "update audit_record set seq = seq - 9999 where seq > 10000");
    await run(
      database,
      "insert into audit_record select 50, at_ms, actor_id, role, action, 'forged', outcome, previous_mac, mac from audit_record where seq = 51",
    );
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: 50 });
  });

  it("finds two records that changed places", async () => {
    const { audit, database } = await openLog();
    await run(database, "update audit_record set seq = -1 where seq = 30");
    await run(database, "update audit_record set seq = 30 where seq = 31");
    await run(database, "update audit_record set seq = 31 where seq = -1");
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: 30 });
  });

  it("finds a record added after the last one", async () => {
    const { audit, database } = await openLog();
    await run(
      database,
      `insert into audit_record select ${COUNT + 1}, at_ms, actor_id, role, action, 'forged', outcome, mac, mac from audit_record where seq = ${COUNT}`,
    );
    expect(await audit.verify()).toMatchObject({ brokenAtSeq: COUNT + 1 });
  });

  it("takes entries that come while it is verified for no fault", async () => {
    const { audit } = await openLog();
    const appending = Promise.all(Array.from({ length: 50 }, (_, index) => audit.append(entry(COUNT + index))));
    const verifications = await Promise.all([audit.verify(), audit.verify(), audit.verify()]);
    await appending;
    expect(verifications.map(({ brokenAtSeq }) => brokenAtSeq)).toEqual([null, null, null]);
    expect(await audit.verify()).toEqual({ recordCount: COUNT + 50, brokenAtSeq: null });
  });

  it("finds that the tail was cut off", async () => {
    const { audit, database } = await openLog();
    await run(database, "delete from audit_record where seq > 150");
    expect(await audit.verify()).toMatchObject({ recordCount: 150, brokenAtSeq: 151 });
  });

  it("finds that the tail was cut off although the head was set back with it", async () => {
    const { audit, database } = await openLog();
    await run(database, "delete from audit_record where seq > 150");
    await run(database, "update audit_head set seq = 150, mac = (select mac from audit_record where seq = 150)");
    expect((await audit.verify()).brokenAtSeq).not.toBeNull();
  });

  it("finds that the head was removed", async () => {
    const { audit, database } = await openLog();
    await run(database, "delete from audit_head");
    expect((await audit.verify()).brokenAtSeq).not.toBeNull();
  });

  it("is not whole under another key", async () => {
    const { database } = await openLog();
    expect((await createAuditRepository({ database, key: Buffer.alloc(32, 6) }).verify()).brokenAtSeq).not.toBeNull();
  });

  it("refuses the action when it can't be written, and goes on once it can", async () => {
    const { audit, database } = await openLog();
    await run(database, "alter table audit_record rename to audit_record_away");
    await expect(audit.append(entry(COUNT))).rejects.toMatchObject({ code: "AUDIT_SINK_UNAVAILABLE" });
    await run(database, "alter table audit_record_away rename to audit_record");
    await audit.append(entry(COUNT));
    expect(await audit.verify()).toEqual({ recordCount: COUNT + 1, brokenAtSeq: null });
  });
});
