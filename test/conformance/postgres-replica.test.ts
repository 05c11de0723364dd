/** Lists, searches and statistics on a real replica: everything written is found at once, whatever the replica does. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSearchQuery, searchableWords } from "../../src/core/text/search-terms.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import type { TestServer } from "../support/database-program.js";
import { askPostgres, type StandbyServer, startPostgres, startStandby } from "../support/start-postgres.js";
import { openStorageParts, START_MS, type StorageParts } from "../support/storage-parts.js";

const DATABASE = "helpline";

describe("a replica that is read from", () => {
  let primary: TestServer;
  let standby: StandbyServer;
  let database: AppDatabase;
  let parts: StorageParts;
  const statements = { query: 0, batch: 0, replica: 0 };

  const open = (readUrl: string): AppDatabase =>
    openDatabase({ url: `${primary.adminUrl}/${DATABASE}`, readUrl, poolSize: 4, onStatement: (kind) => statements[kind]++ });
  beforeAll(async () => {
    primary = await startPostgres({ isDurable: true });
    await askPostgres(`${primary.adminUrl}/postgres`, [`create database ${DATABASE}`]);
    standby = await startStandby(primary);
    database = open(`${standby.adminUrl}/${DATABASE}`);
    await database.migrate();
    expect(await database.verifyReplica()).toBe(true);
    parts = openStorageParts(database);
  });
  afterAll(async () => {
    await database?.close();
    await standby?.stop();
    await primary?.stop();
  });

  const listed = async (limit = 500): Promise<readonly string[]> => (await parts.calls.listCalls({ filter: {}, limit })).map(({ callId }) => callId);
  /** Statements that a list takes on the replica: three, and what it took to learn that it had caught up. */
  const askedOfReplica = async (work: () => Promise<unknown>): Promise<number> => {
    const before = statements.replica;
    await work();
    return statements.replica - before;
  };

  it("gives every call right after it was stored, in the list and by what was said", async () => {
    expect(await askedOfReplica(() => listed())).toBeGreaterThan(1);
    for (let round = 0; round < 30; round += 1) {
      const startedAtMs = START_MS + round;
      const { callId } = await parts.insertCall({ startedAtMs });
      expect(await listed(1)).toEqual([callId]);
      const sealer = await parts.calls.openSealer(callId);
      const text = { callId, sealer, startedAtMs, passages: [], words: searchableWords(`round number${round}`) };
      await parts.work((unitOfWork) => parts.callTexts.save(text, unitOfWork));
      const found = await parts.callTexts.search({ terms: parseSearchQuery(`number${round}`) ?? [], filter: {}, limit: 9 });
      expect(found.map((one) => one.callId)).toEqual([callId]);
    }
  });

  it("is asked for statistics as well, and for nothing that a decision rests on", async () => {
    expect(await askedOfReplica(() => parts.feedback.listMarks(0))).toBeGreaterThan(1);
    expect(await askedOfReplica(() => parts.feedback.countPredictions("transcript", 0))).toBeGreaterThan(1);
    const [callId = ""] = await listed(1);
    expect(await askedOfReplica(() => parts.calls.findCall(callId))).toBe(0);
    expect(await askedOfReplica(() => parts.calls.findStatus(callId))).toBe(0);
  });

  it("is not believed while it is behind", async () => {
    await standby.setPaused(true);
    const { callId } = await parts.insertCall({ startedAtMs: START_MS + 1_000 });
    expect(await listed(1)).toEqual([callId]);
    await standby.setPaused(false);
  });

  it("is done without while it stands still, and asked again when it is back", async () => {
    standby.setFrozen(true);
    const { callId } = await parts.insertCall({ startedAtMs: START_MS + 2_000 });
    const startedAtMs = performance.now();
    for (let round = 0; round < 20; round += 1) expect(await listed(1)).toEqual([callId]);
    // It is waited for once, for a second, and not twenty times.
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    standby.setFrozen(false);
    await expect.poll(() => askedOfReplica(() => listed(1)), { timeout: 20_000, interval: 200 }).toBeGreaterThan(1);
  });

  it("is done without when it breaks off in the middle of a query", async () => {
    let attempts = 0;
    const found = await database.read(async (executor) => {
      attempts++;
      if (attempts === 1) await sql`select pg_terminate_backend(pg_backend_pid())`.execute(executor);
      return executor.selectFrom("call").select("call_id").execute();
    });
    expect([attempts, found.length]).toEqual([2, (await listed()).length]);
  });

  it("is refused when it is a copy of something else, or of another kind", async () => {
    await askPostgres(`${primary.adminUrl}/postgres`, ["create database another"]);
    const wrong = open(`${primary.adminUrl}/another`);
    await expect(wrong.verifyReplica()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await wrong.close();
    for (const options of [
      { url: `${primary.adminUrl}/${DATABASE}`, readUrl: "mysql://127.0.0.1/openchs" },
      { url: "mysql://127.0.0.1/openchs", readUrl: `${primary.adminUrl}/${DATABASE}` },
    ]) {
      expect(() => openDatabase(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }) as Error);
    }
  });

  it("may be away when the service starts", async () => {
    const alone = open(`postgres://nobody@127.0.0.1:1/${DATABASE}`);
    expect(await alone.verifyReplica()).toBe(false);
    expect((await openStorageParts(alone, parts.masterKey).calls.listCalls({ filter: {}, limit: 1 })).length).toBe(1);
    await alone.close();
  });
});
