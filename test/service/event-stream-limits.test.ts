/** Event streams of a busy service: heartbeats, how many there may be, what a stop does to them, and a crowd of readers. */
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningService, startService } from "../../src/app/lifecycle.js";
import { loadConfig } from "../../src/config/load-config.js";
import { silentLogger } from "../../src/core/log.js";
import type { WireCallEvent } from "../../src/protocol/call-events.js";
import { type EventReader, numbersTo, openEvents, openTaskEvents } from "../support/event-stream-client.js";
import { ask, codeOf, encodeForm } from "../support/http-client.js";
import { audioFiles, endOf, untilProcessing, uploaded } from "../support/recording-client.js";
import { SAMPLE_IDS, shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const HEARTBEAT_MS = 100;
const long = shortClip("custody-maintenance", 40);
const short = shortClip("child-labour", 2);

describe("event streams of a busy service", () => {
  let gateway: TestGateway;
  /** Waits behind another recording until the test cancels it. */
  let waiting: string;
  const readers: EventReader[] = [];

  beforeAll(async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1", EVENT_HEARTBEAT_MS: String(HEARTBEAT_MS), EVENT_STREAMS_AT_ONCE: "1" });
    const first = await uploaded(gateway, long);
    await untilProcessing(gateway, first.task_id);
    waiting = (await uploaded(gateway, short)).task_id;
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.drop();
  });
  afterAll(() => gateway.stop());

  const follow = async (taskId: string): Promise<EventReader> => {
    const reader = await openTaskEvents(gateway, taskId);
    readers.push(reader);
    return reader;
  };
  const untilFollowing = async (): Promise<EventReader> => {
    let reader = await follow(waiting);
    const isOpen = async (): Promise<boolean> => {
      if (reader.status !== 200) reader = await follow(waiting);
      return reader.status === 200;
    };
    await until("there is a place for a stream", isOpen, 10_000, 20);
    return reader;
  };

  it("tell by comments that they are alive while nothing happens", async () => {
    const reader = await untilFollowing();
    await until("the start has come", () => reader.events.length > 0, 10_000);
    const [before, startedAtMs] = [reader.comments(), performance.now()];
    await until("ten heartbeats have come", () => reader.comments() >= before + 10, 10_000);
    // One more may have been on its way; a flood would be ten at once.
    expect(performance.now() - startedAtMs).toBeGreaterThan(8 * HEARTBEAT_MS);
    expect(reader.events.map(({ type }) => type)).toEqual(["call.started"]);
  });

  it("are refused with 429 when all places are taken, and given when one is free", async () => {
    const first = await untilFollowing();
    const answer = await ask(gateway, `/audio/task/${waiting}/events`, { role: "supervisor" });
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 429, code: "GATEWAY_STREAMS_BUSY" });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    first.drop();
    expect((await untilFollowing()).status).toBe(200);
  });

  it("keep nothing of an upload that they refuse without naming its task", async () => {
    await untilFollowing();
    const [calls, files] = [await gateway.countCalls(), audioFiles(gateway).length];
    const { body, headers } = await encodeForm(uploadForm(short, { language: "en" }));
    const reader = await openEvents(gateway, "/audio/process-stream", { method: "POST", headers, body });
    expect(reader.status).toBe(429);
    // What was kept has to be named, or else whoever follows Retry-After sends the recording twice.
    const named = reader.headers["x-task-id"] === undefined ? 0 : 1;
    expect([await gateway.countCalls(), audioFiles(gateway).length]).toEqual([calls + named, files + named]);
  });

  it("have no place taken by answers that are no streams", async () => {
    const reader = await untilFollowing();
    reader.drop();
    await until("the place is free", async () => (await ask(gateway, "/audio/task/unknown/events")).status === 404, 10_000, 20);
    for (const _ of [1, 2, 3]) expect((await ask(gateway, "/audio/task/unknown/events")).status).toBe(404);
    expect((await untilFollowing()).status).toBe(200);
  });
});

describe("a service that stops", () => {
  let gateway: TestGateway;
  let restarted: RunningService | undefined;
  afterEach(async () => {
    await restarted?.stop();
    await gateway.stop();
  });

  it("ends its event streams instead of waiting for them, and their readers go on after the next start", async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1", DEFAULT_LANGUAGES: "en" });
    const running = await uploaded(gateway, shortClip("custody-maintenance", 15));
    await untilProcessing(gateway, running.task_id);
    const queued = await uploaded(gateway, short);
    const followers = [await openTaskEvents(gateway, running.task_id), await openTaskEvents(gateway, queued.task_id)];
    await until("both have seen the start", () => followers.every(({ events }) => events.length > 0), 10_000);
    // A client that would go on using its connection.
    const keeping = connect(Number(new URL(gateway.service.url).port), "127.0.0.1");
    keeping.on("error", () => {}).resume();
    keeping.write(`GET /audio/task/${queued.task_id}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.keys.agent}\r\n\r\n`);
    await new Promise((resolve) => keeping.once("data", resolve));
    const startedAtMs = performance.now();
    await gateway.service.stop();
    // SHUTDOWN_DEADLINE_MS of two seconds is for the recording that runs.
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
    await until("every stream is over", () => keeping.destroyed && followers.every(({ outcome }) => outcome() === "ended"), 5_000);
    restarted = await startService(loadConfig({ argv: { DATA_DIR: gateway.dataDirectory, PORT: "0", STREAM_PORT: "0", MODEL_PROCESSES: "1" } }), silentLogger);
    const again: TestGateway = { ...gateway, service: restarted };
    const rest = await openTaskEvents(again, queued.task_id, { lastEventId: followers[1]?.events.at(-1)?.seq ?? 0 });
    const seen = [...(followers[1]?.events ?? []), ...(await rest.end())];
    expect(seen).toEqual(await (await openTaskEvents(again, queued.task_id)).end());
    expect(seen.map(({ seq }) => seq)).toEqual(numbersTo(seen.length));
    expect(seen.at(-1)?.type).toBe("analysis.completed");
  });
});

describe("twenty uploads at once with five readers", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  /** Follows to the end over as many connections as it takes, each cut after `eventsEach` events. */
  const followCutting = async (taskId: string, eventsEach: number, cuts: number): Promise<{ events: readonly WireCallEvent[]; cut: number }> => {
    const events: WireCallEvent[] = [];
    let cut = 0;
    for (;;) {
      const reader = await openTaskEvents(gateway, taskId, { lastEventId: events.at(-1)?.seq ?? 0 });
      if (reader.status === 204) return { events, cut };
      expect(reader.status).toBe(200);
      await until("enough has come", () => reader.outcome() !== "open" || (cut < cuts && reader.events.length >= eventsEach), 90_000, 5);
      const isOver = reader.outcome() === "ended";
      reader.drop();
      events.push(...reader.events);
      if (isOver) return { events, cut };
      cut++;
    }
  };

  it("loses no event, also for two who drop out and go on with Last-Event-ID", async () => {
    const clips = Array.from({ length: 20 }, (_, index) => shortClip(SAMPLE_IDS[index % SAMPLE_IDS.length] ?? "child-labour", 2));
    const tasks = await Promise.all(clips.map((clip) => uploaded(gateway, clip)));
    const followed = tasks.slice(0, 5).map(({ task_id: taskId }) => taskId);
    const [dropsOnce, dropsOften, ...steady] = await Promise.all([
      ...followed.slice(0, 1).map((taskId) => followCutting(taskId, 2, 1)),
      ...followed.slice(1, 2).map((taskId) => followCutting(taskId, 1, 50)),
      ...followed.slice(2).map((taskId) => followCutting(taskId, 1_000, 0)),
    ]);
    expect(dropsOnce?.cut).toBe(1);
    expect(dropsOften?.cut).toBeGreaterThan(2);
    for (const { task_id: taskId } of tasks) expect((await endOf(gateway, taskId)).status).toBe("completed");
    for (const [index, read] of [dropsOnce, dropsOften, ...steady].entries()) {
      const stored = await (await openTaskEvents(gateway, followed[index] ?? "")).end();
      expect(read?.events, `reader ${index}`).toEqual(stored);
    }
    for (const { task_id: taskId, call_id: callId } of tasks) {
      const stored = await (await openTaskEvents(gateway, taskId)).end();
      expect(stored.map(({ seq }) => seq)).toEqual(numbersTo(stored.length));
      expect([stored[0]?.type, stored.at(-1)?.type]).toEqual(["call.started", "analysis.completed"]);
      expect(new Set(stored.map((event) => event.call_id))).toEqual(new Set([callId]));
    }
  });
});
