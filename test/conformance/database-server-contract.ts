/** What a database on a server adds to the storage contract: the way to it, its own settings, and its failures. */
import { inspect } from "node:util";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { newId } from "../../src/core/ids.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { freePort, type TestServer } from "../support/database-program.js";
import { makeServerCertificates, type ServerCertificates } from "../support/server-certificates.js";
import { openStorageParts } from "../support/storage-parts.js";

const PASSWORD = "p@ss:w/rd";

export interface DatabaseServerKind {
  readonly name: string;
  /** With settings that are as unlike ours as can be, commits that reach the disk, and TLS. */
  start(files: Readonly<Record<string, string>>): Promise<TestServer>;
  /** Makes the database `openchs` and a user of it alone, as docs/operations.md says to. @returns its URL */
  createDatabase(server: TestServer, password: string): Promise<string>;
  /** What the server's certificate names, and a host of a URL that it does not. */
  readonly certifiedFor: "IP:127.0.0.1" | "DNS:localhost";
  readonly strangeHost: string;
  readonly strangeHostError: "STORAGE_UNAVAILABLE" | "CONFIG_INVALID";
  /** Says how many sessions of ours there are. */
  readonly countSessions: string;
  readonly isEncrypted: string;
  /** Ends every session but the one that asks. */
  endSessions(database: AppDatabase): Promise<void>;
}

export function describeDatabaseServer(kind: DatabaseServerKind): void {
  describe(`database server: ${kind.name}`, () => {
    let server: TestServer;
    let certificates: ServerCertificates;
    let url = "";
    beforeAll(async () => {
      certificates = await makeServerCertificates(kind.certifiedFor);
      server = await kind.start(certificates.files);
      url = await kind.createDatabase(server, PASSWORD);
      const database = openDatabase({ url });
      await database.migrate();
      await database.close();
    });
    afterAll(async () => {
      await server.stop();
      await certificates.remove();
    });
    const open = (more: { readonly query?: string; readonly poolSize?: number; readonly onStatement?: (kind: string) => void } = {}): AppDatabase => {
      const { query = "", ...options } = more;
      const database = openDatabase({ url: `${url}${query}`, ...options });
      onTestFinished(() => database.close());
      return database;
    };

    describeTheWay(() => ({ url, certificates }), open, kind);
    describeItsFailures(() => server, open, kind);
  });
}

type Open = (more?: { readonly query?: string; readonly poolSize?: number; readonly onStatement?: (kind: string) => void }) => AppDatabase;

function describeTheWay(place: () => { readonly url: string; readonly certificates: ServerCertificates }, open: Open, kind: DatabaseServerKind): void {
  it("is unavailable, and worth trying again, when nothing answers or the password is wrong; no password is told", async () => {
    const gone = new URL(place().url);
    gone.port = String(await freePort());
    const wrong = new URL(place().url);
    wrong.password = "s3cret-of-nobody";
    for (const { href } of [gone, wrong]) {
      const database = openDatabase({ url: href });
      onTestFinished(() => database.close());
      const asking: readonly (() => Promise<unknown>)[] = [
        () => database.migrate(),
        () => database.sql.selectFrom("call").select("call_id").execute(),
        () => database.batch([{ sql: "select 1", parameters: [] }]),
      ];
      for (const ask of asking) {
        const error: unknown = await ask().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(error).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
        const told = inspect(error, { depth: 9, showHidden: true });
        for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), "s3cret-of-nobody"]) expect(told).not.toContain(secret);
      }
    }
  });

  it("encrypts as the URL says, and trusts whom it says", async () => {
    const { caFile, strangeCaFile } = place().certificates;
    const encrypted = async (query: string): Promise<boolean> => {
      const { rows } = await sql<{ encrypted: unknown }>`${sql.raw(kind.isEncrypted)}`.execute(open({ query }).sql);
      return Boolean(rows[0]?.encrypted);
    };
    expect(await encrypted("")).toBe(false);
    expect(await encrypted("?sslmode=require")).toBe(true);
    expect(await encrypted(`?sslmode=verify-full&ssl-ca=${encodeURIComponent(caFile)}`)).toBe(true);
    expect(await encrypted(`?sslrootcert=${encodeURIComponent(caFile)}&sslmode=verify-ca`)).toBe(true);
    for (const query of [
      `?ssl-ca=${encodeURIComponent(strangeCaFile)}`,
      `?sslmode=verify-ca&ssl-ca=${encodeURIComponent(strangeCaFile)}`,
      "?sslmode=verify-full",
    ]) {
      await expect(encrypted(query)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    }
    await expect(encrypted("?sslmode=verify-full&ssl-ca=/nowhere")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const byName = new URL(place().url);
    byName.hostname = kind.strangeHost;
    byName.search = `?sslmode=verify-full&ssl-ca=${encodeURIComponent(caFile)}`;
    const named = openDatabase({ url: byName.href });
    onTestFinished(() => named.close());
    await expect(named.sql.selectFrom("call").select("call_id").execute()).rejects.toMatchObject({ code: kind.strangeHostError });
  });

  it("uses no more sessions than it was given, for more work than that, and tells of every statement", async () => {
    const told: string[] = [];
    const database = open({ poolSize: 3, onStatement: (statement) => told.push(statement) });
    const { insertCall, calls, work } = openStorageParts(database);
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await insertCall()).callId));
    await Promise.all(ids.map((callId) => work((unitOfWork) => calls.updateOutcome(callId, { status: "completed" }, unitOfWork))));
    const { rows } = await sql<{ count: number }>`${sql.raw(kind.countSessions)}`.execute(database.sql);
    expect(Number(rows[0]?.count)).toBeLessThanOrEqual(3);
    await database.batch([{ sql: "select 1", parameters: [] }]);
    expect([told.filter((statement) => statement === "batch").length, told.length >= 31 + 30 * 3]).toEqual([1, true]);
  });

  it("means the same whatever the server's own settings are", async () => {
    const [first, second] = [openStorageParts(open()), openStorageParts(open())];
    const odd = "\\' or 1=1 -- \\\\ \" ` \n \r \u001a %";
    const { callId } = await first.insertCall({ agentId: odd });
    expect((await second.calls.findCall(callId))?.agentId).toBe(odd);
    const sealer = await first.calls.openSealer(callId);
    const event = { type: "call.failed", payload: { taskId: "t", status: "failed", errorCode: "INTERNAL" } } as const;
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? first : second)).map(({ events, work }) =>
        work((unitOfWork) => events.append({ callId, sealer }, [event], 1, unitOfWork)),
      ),
    );
    expect(await first.events.lastSeq(callId)).toBe(20);
  });
}

function describeItsFailures(server: () => TestServer, open: Open, kind: DatabaseServerKind): void {
  it("runs batches again that waited for each other", async () => {
    const [first, second] = [open(), open()];
    const { insertCall } = openStorageParts(first);
    const ids = [(await insertCall()).callId, (await insertCall()).callId];
    const touch = (database: AppDatabase, order: readonly string[]) =>
      database.batch(order.map((callId) => database.sql.updateTable("call").set({ agent_id: newId() }).where("call_id", "=", callId).compile()));
    // Long enough that they meet.
    const there = Array.from({ length: 10 }, () => ids).flat();
    for (let round = 0; round < 2; round += 1) {
      await expect(Promise.all([touch(first, there), touch(second, [...there].reverse())])).resolves.toHaveLength(2);
    }
  });

  it("fails a unit of work whose session was ended, and goes on with others", async () => {
    const [database, admin] = [open(), open()];
    const { calls, insertCall, work } = openStorageParts(database);
    const { callId } = await insertCall();
    const failing = work(async (unitOfWork) => {
      await calls.updateOutcome(callId, { status: "failed" }, unitOfWork);
      await kind.endSessions(admin);
      await calls.updateOutcome(callId, { status: "cancelled" }, unitOfWork);
    });
    await expect(failing).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
    for (let time = 0; time < 5; time += 1) expect(await calls.findStatus(callId)).toBe("queued");
  });

  it("has everything that was acknowledged after a crash of the server, and goes on by itself", async () => {
    const parts = openStorageParts(open());
    const entry = { atMs: 1, actorId: "a", role: "agent", action: "recording.read", target: "call", outcome: "allowed" } as const;
    const stored: string[] = [];
    let isUp = true;
    const writing = (async () => {
      while (isUp) {
        try {
          const { callId } = await parts.insertCall();
          await parts.audit.append(entry);
          stored.push(callId);
        } catch (error) {
          expect(["STORAGE_UNAVAILABLE", "AUDIT_SINK_UNAVAILABLE"]).toContain((error as { readonly code: string }).code);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    })();
    while (stored.length < 20) await new Promise((resolve) => setTimeout(resolve, 10));
    await server().crash();
    const before = stored.length;
    while (stored.length < before + 5) await new Promise((resolve) => setTimeout(resolve, 10));
    isUp = false;
    await writing;
    for (const callId of stored) expect(await parts.calls.hasCall(callId)).toBe(true);
    const { recordCount, brokenAtSeq } = await parts.audit.verify();
    expect(brokenAtSeq).toBeNull();
    expect(recordCount).toBeGreaterThanOrEqual(stored.length);
  });
}
