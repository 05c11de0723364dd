/** The schema: made, brought up to date with data in it, by several processes at once, and never taken back. */
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { AppDatabase } from "../../src/storage/database.js";
import { jobRow, openStorageParts } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

type Row = Readonly<Record<string, string | number | null>>;

/** What lay in a database of each version: table, the version that made it, and rows as they were then. */
const PAST: readonly { readonly since: string; readonly table: string; readonly rows: readonly Row[] }[] = [
  {
    ...{ since: "0001", table: "call" },
    rows: [
      {
        ...{ call_id: "call-1", source: "upload", direction: "inbound", status: "completed", mode: "post_call", languages: '["sw"]', legal_hold: 0 },
        ...{ started_at_ms: 1_600_000_000_000, ended_at_ms: null, wrapped_key: "s1.key 😀" },
      },
    ],
  },
  { since: "0001", table: "call_leg", rows: [{ call_id: "call-1", stream_id: "s", channel: "caller" }] },
  {
    ...{ since: "0001", table: "recording" },
    rows: [{ recording_id: "r", call_id: "call-1", audio_key: "k", container: "wav", byte_count: 5_000_000_000, created_at_ms: 7 }],
  },
  {
    ...{ since: "0001", table: "analysis" },
    rows: [{ task_id: "b", call_id: "call-1", status: "completed", completed_at_ms: 9, result_sealed: "s1.result" }],
  },
  {
    ...{ since: "0002", table: "job" },
    // Ids that fall while the jobs rise.
    rows: ["c", "b", "a"].map((job_id, index) => ({
      ...{ job_id, queue: "recordings", job_name: "process-recording", payload: '{"callId":"call-1"}', status: "queued", priority: 0 },
      ...{ run_at_ms: 5, delivery: 0, attempt: 0, max_attempts: 3, stall_count: 0, cancel_requested: 0, progress: 0, step: "queued" },
      ...{ idempotency_key: index === 0 ? "key" : null, created_at_ms: 1 + index },
    })),
  },
  { since: "0003", table: "api_key", rows: [{ key_id: "k", secret_hash: "h", role: "admin", label: "l", created_at_ms: 1 }] },
  { since: "0003", table: "audit_head", rows: [{ id: 1, seq: 0, mac: "m", head_mac: "h" }] },
  { since: "0004", table: "master_key_check", rows: [{ id: 1, fingerprint: "f" }] },
  { since: "0005", table: "call_event", rows: [{ call_id: "call-1", seq: 1, type: "call.started", at_ms: 1, payload_sealed: "s1.event" }] },
  { since: "0006", table: "batch", rows: [{ batch_id: "batch", created_at_ms: 1 }] },
  { since: "0006", table: "batch_item", rows: [{ batch_id: "batch", position: 0, task_id: "c", error_code: null }] },
  {
    ...{ since: "0007", table: "model_task" },
    rows: [{ task_id: "m", model_task: "entities", actor_id: "a", wrapped_key: "s1.k", question_sealed: "s1.q", created_at_ms: 1 }],
  },
  { since: "0009", table: "live_call", rows: [{ call_id: "call-1", task_id: "c", language: "sw", is_paired: 0 }] },
  {
    ...{ since: "0010", table: "webhook" },
    rows: [{ webhook_id: "w", wrapped_key: "s1.k", target_sealed: "s1.t", format: "events", event_types: "[]", created_at_ms: 1 }],
  },
];

async function insertPast({ sql: db }: AppDatabase, version: string): Promise<void> {
  for (const { table, rows } of PAST.filter(({ since }) => since <= version.slice(0, 4))) {
    for (const row of rows) {
      const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)));
      await sql`insert into ${sql.table(table)} (${columns}) values (${sql.join(Object.values(row))})`.execute(db);
    }
  }
}

async function expectPast({ sql: db }: AppDatabase, version: string): Promise<void> {
  for (const { table, rows } of PAST.filter(({ since }) => since <= version.slice(0, 4))) {
    const { rows: found } = await sql<Row>`select * from ${sql.table(table)}`.execute(db);
    expect([version, table, found.length]).toEqual([version, table, rows.length]);
    expect(found).toEqual(expect.arrayContaining(rows.map((row) => expect.objectContaining(row))));
  }
}

export function describeMigrations({ createDatabase }: StorageOfTest): void {
  describe("migrations", () => {
    it("make every table from nothing, in their order, and have nothing to do the second time", async () => {
      const open = await createDatabase({ isMigrated: false });
      const database = open();
      const applied = (await database.migrate()).map(({ name }) => name);
      expect(applied.length).toBeGreaterThan(0);
      expect(applied).toEqual([...applied].sort());
      expect(await database.migrate()).toEqual([]);
      expect(await open().migrate()).toEqual([]);
      const tables = (await database.sql.introspection.getTables()).map(({ name }) => name);
      expect(tables).toEqual(expect.arrayContaining(["analysis", "api_key", "audit_record", "call", "job", "recording", "transcript_segment"]));
      expect(tables).not.toContain("job_counted");
    });

    it("refuse a database of a newer program and change nothing in it", async () => {
      const database = (await createDatabase())();
      await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099-01-01T00:00:00Z')`.execute(database.sql);
      await expect(database.migrate()).rejects.toMatchObject({ code: "STORAGE_SCHEMA_NEWER" });
      const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name desc limit 1`.execute(database.sql);
      expect(rows.map(({ name }) => name)).toEqual(["9999-from-the-future"]);
    });

    it("are done once when four processes start together on an empty database", async () => {
      const open = await createDatabase({ isMigrated: false });
      const processes = Array.from({ length: 4 }, open);
      const applied = (await Promise.all(processes.map((database) => database.migrate()))).map((migrations) => migrations.length);
      expect(applied.filter((count) => count > 0)).toHaveLength(1);
      for (const { sql: db } of processes) expect(await db.selectFrom("job").selectAll().execute()).toEqual([]);
    });

    it("go on where they were interrupted, also where a table is made for good before its migration has ended", async () => {
      const database = (await createDatabase({ isMigrated: false }))();
      const names = (await database.migrate()).map(({ name }) => name);
      // What a process leaves that is killed there: everything made, and none of it noted down.
      if (database.dialect !== "mysql") return;
      await sql`delete from kysely_migration where name > '0004'`.execute(database.sql);
      expect((await database.migrate()).map(({ name }) => name)).toEqual(names.filter((name) => name > "0004"));
      expect(await openStorageParts(database).jobs.insert([jobRow()])).toMatchObject([{ isDuplicate: false }]);
    });

    it("bring every past version up to date with what lay in it", async () => {
      const reference = await (await createDatabase({ isMigrated: false }))().migrate();
      for (const { name: version } of reference.slice(0, -1)) {
        const database = (await createDatabase({ isMigrated: false }))();
        await database.migrate({ upTo: version });
        await insertPast(database, version);
        const applied = await database.migrate();
        expect(applied.map(({ name }) => name)).toEqual(reference.map(({ name }) => name).filter((name) => name > version));
        await expectPast(database, version);
        await expectUsable(database, version);
      }
    });
  });
}

/** The jobs of before run in the order they came, their keys hold, and what is new comes after them. */
async function expectUsable(database: AppDatabase, version: string): Promise<void> {
  const { jobs, calls, callTexts } = openStorageParts(database);
  if (version < "0014") expect(await callTexts.listDue({ limit: 9 })).toMatchObject([{ callId: "call-1", taskId: "b" }]);
  if (version < "0002") return;
  const claimed = await jobs.exchange([], { queue: "recordings", limit: 9, nowMs: 10, leaseUntilMs: 20 });
  expect(claimed.map((row) => row.job_id)).toEqual(["c", "b", "a"]);
  const [again] = await jobs.insert([jobRow({ idempotency_key: "key" })]);
  expect(again).toEqual({ jobId: "c", isDuplicate: true });
  if (version < "0005") expect(await calls.listTaskIds("call-1")).toEqual(["c", "b", "a"]);
  if (version < "0006") expect((await calls.findRecording("r"))?.kind).toBe("original");
}
