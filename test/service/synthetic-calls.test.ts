/** The service calls itself: the call goes the way of every other, nobody sees it, nothing of it stays. */
import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { packageAssets } from "../../src/app/paths.js";
import { createRecordingIntake } from "../../src/calls/recording-intake.js";
import { createSyntheticCalls } from "../../src/calls/synthetic/synthetic-calls.js";
import { createMemoryEventBus } from "../../src/events/backends/memory-event-bus.js";
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import { createFilesystemAudioStore } from "../../src/storage/backends/filesystem-audio-store.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { FakeClock } from "../support/fake-clock.js";
import { openEventSocket } from "../support/live-events.js";
import { quietClip } from "../support/quiet-clip.js";
import { analysed, audioFiles } from "../support/recording-client.js";
import { lastAuditSeq, withDatabase } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { openStorageParts, START_MS } from "../support/storage-parts.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.js";

const scripted = { inferenceEntry: { url: new URL("../support/scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] } };

describe("synthetic calls of a service", () => {
  let gateway: TestGateway;
  let receiver: WebhookReceiver;
  beforeAll(async () => {
    receiver = await startReceiver();
    gateway = await startGateway({ SYNTHETIC_CALL_SECONDS: "1" }, scripted);
  });
  afterAll(async () => {
    await gateway.stop();
    await receiver.close();
  });

  const countOf = async (outcome: string): Promise<number> => {
    const text = await (await gateway.request("service", "/metrics")).text();
    return Number(new RegExp(`helpline_synthetic_call_seconds_count\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1]);
  };
  const ended = async (outcome: string, more: number): Promise<void> => {
    const before = await countOf(outcome);
    await until(`${more} more ${outcome}`, async () => (await countOf(outcome)) >= before + more, 60_000, 50);
  };
  const checked = async (): Promise<{ readonly status: string; readonly detail: string } | undefined> => {
    const { checks } = await gateway.json<{ checks: readonly { name: string; status: string; detail: string }[] }>("admin", "/health/detailed");
    return checks.find(({ name }) => name === "synthetic_call");
  };

  it("pass, are told of by metric and health check, and are in no list, feed, delivery, receipt or audit record", async () => {
    const subscribed = await gateway.request("admin", "/api/v1/webhooks", {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      body: JSON.stringify({ url: receiver.url, secret: "a secret of the helpline" }),
    });
    expect(subscribed.status).toBe(201);
    const before = await lastAuditSeq(gateway);
    using feed = await openEventSocket(gateway, "/api/v1/live", { role: "agent" });
    await ended("passed", 2);
    const afterFeed = await lastAuditSeq(gateway);
    const { accepted } = await analysed(gateway, quietClip("real"));
    await feed.whenSeen("the real call's end", (events) => events.some(({ type }) => type === "analysis.completed"));
    await until("the webhook is told of the real call", () => receiver.received.some(({ body }) => body.includes("analysis.completed")), 10_000, 25);
    const idsOf = (text: string): ReadonlySet<string> => new Set([...text.matchAll(/"call_id":"([^"]+)"/g)].map(([, id]) => id ?? ""));
    expect(new Set(feed.events.map((event) => event.call_id))).toEqual(new Set([accepted.call_id]));
    expect(idsOf(receiver.received.map(({ body }) => body).join("\n"))).toEqual(new Set([accepted.call_id]));
    expect((await gateway.json<{ items: readonly { call_id: string }[] }>("agent", "/api/v1/calls")).items.map((call) => call.call_id)).toEqual([
      accepted.call_id,
    ]);
    expect((await gateway.json<{ items: readonly unknown[] }>("supervisor", "/api/v1/deletions")).items).toEqual([]);
    // Nothing but our own: the subscription before, the feed it was read by.
    expect(afterFeed).toBe(before);
    expect((await checked())?.status).toBe("ok");
    expect((await checked())?.detail).toMatch(/^passed in \d+ ms/);
  });

  it("fail where recordings can't be stored, which is said, and pass again when they can", async () => {
    const audio = join(gateway.dataDirectory, "audio");
    await until("no recording is held", () => audioFiles(gateway).length <= 1, 10_000, 5);
    rmSync(audio, { recursive: true });
    writeFileSync(audio, "");
    await ended("failed", 1);
    const check = await checked();
    expect(check?.status).toBe("degraded");
    expect(check?.detail).toMatch(/failed with INTERNAL/);
    rmSync(audio);
    mkdirSync(audio);
    await ended("passed", 1);
    expect((await checked())?.status).toBe("ok");
  });

  it("leave nothing when the service stops in the midst of one", async () => {
    const syntheticRows = () => withDatabase(gateway, ({ sql }) => sql.selectFrom("call").select("call_id").where("source", "=", "synthetic").execute());
    await until("one runs", async () => (await syntheticRows()).length === 1, 30_000, 2);
    await gateway.service.stop();
    expect(await syntheticRows()).toEqual([]);
    const recordings = await withDatabase(gateway, ({ sql }) => sql.selectFrom("recording").select("audio_key").execute());
    expect(audioFiles(gateway).filter((name) => !recordings.some(({ audio_key }) => name.includes(audio_key)))).toEqual([]);
  });
});

describe("a synthetic call that nobody works on", () => {
  let directory: TemporaryDirectory;
  let database: AppDatabase;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    database = openDatabase({ path: join(directory.path, "test.db") });
    await database.migrate();
  });
  afterEach(async () => {
    await database.close();
    await directory.remove();
  });

  const open = async () => {
    const parts = openStorageParts(database);
    const clock = new FakeClock(START_MS);
    const audioDirectory = join(directory.path, "audio");
    const audioStore = await createFilesystemAudioStore({ directory: audioDirectory });
    const bus = createMemoryEventBus();
    const policy = { retryPolicy: { firstDelayMs: 5, maxDelayMs: 20 }, leaseMs: 5_000, pollIntervalMs: 50, isExclusive: true, maxStalls: 3 };
    const queue = new EmbeddedQueueBackend({ jobs: parts.jobs, clock, ...policy });
    await queue.start();
    const eventLog = { append: async () => {} } as never;
    const intake = createRecordingIntake({
      ...{ database, calls: parts.calls, sealers: parts.sealers, audioStore, queue, eventLog, audit: parts.audit, clock },
      ...{ maxBytes: 1_000_000, maxAttempts: 1, fingerprintKey: Buffer.alloc(32, 2) },
    });
    const synthetic = createSyntheticCalls({
      ...{ database, calls: parts.calls, analyses: parts.analyses, intake, audioStore, queue, bus, clock, masking: { forget: () => {} } },
      speechEngine: "auto",
      openRecording: () => createReadStream(packageAssets().syntheticCall),
    });
    const waiting = async (): Promise<string> => {
      const taskId = async () => (await database.sql.selectFrom("call_task").select("task_id").executeTakeFirst())?.task_id;
      await until("its job waits", async () => (await taskId()) !== undefined, 10_000, 5);
      return (await taskId()) ?? "";
    };
    return { ...parts, synthetic, queue, bus, clock, waiting, files: () => readdirSync(audioDirectory, { recursive: true }).length };
  };

  it("is late after a quarter of an hour, and removed with those of former lives", async () => {
    const { synthetic, clock, bus, queue, waiting, calls, insertCall, files } = await open();
    await insertCall({ source: "synthetic" });
    const making = synthetic.make(new AbortController().signal);
    const taskId = await waiting();
    clock.advance(900_000);
    bus.publish(`task/${taskId}`);
    expect(await making).toEqual({ outcome: "late", atMs: START_MS + 900_000, durationMs: 900_000 });
    expect(await calls.listCalls({ filter: { source: "synthetic" }, limit: 9 })).toEqual([]);
    expect([await queue.find(taskId), files()]).toEqual([undefined, 0]);
    await queue.close(0);
  });

  it("says nothing when it is told to stop, and leaves nothing", async () => {
    const { synthetic, queue, waiting, calls, files } = await open();
    const stopping = new AbortController();
    const making = synthetic.make(stopping.signal);
    await waiting();
    stopping.abort();
    expect(await making).toBeUndefined();
    expect(await calls.listCalls({ filter: { source: "synthetic" }, limit: 9 })).toEqual([]);
    expect(files()).toBe(0);
    await queue.close(0);
  });
});
