/** Processes with one role each over one PostgreSQL and one Redis: what is uploaded, called in and asked of any of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { newStreamId } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { isMissing } from "../support/requirements.js";
import { runCli } from "../support/run-cli.js";
import { type Helpline, type RoleProcess, startHelpline } from "../support/run-roles.js";
import { shortClip } from "../support/sample-audio.js";
import { spokenPhrases } from "../support/spoken-words.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";
import { startReceiver } from "../support/webhook-receiver.js";

interface Task {
  readonly status: string;
  readonly call_id: string;
  readonly result?: Pick<WireAnalysis, "transcript">;
}

const SPOKEN_MS = 6_000;

describe.skipIf(isMissing("pocketsphinx", "redis-server", "postgres"))("api, worker and stream", () => {
  let helpline: Helpline;
  let api: RoleProcess;
  let other: RoleProcess;
  let stream: RoleProcess;
  let hearingWorker: RoleProcess;
  let key: string;
  const request = (at: RoleProcess, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${at.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });
  const json = async <Body>(at: RoleProcess, path: string): Promise<Body> => (await (await request(at, path)).json()) as Body;
  const upload = async (at: RoleProcess): Promise<{ task_id: string; call_id: string }> => {
    const form = new FormData();
    form.set("audio", new Blob([new Uint8Array(shortClip("child-violence-home", 3))]), "call.wav");
    form.set("language", "en");
    const response = await request(at, "/audio/process", { method: "POST", body: form });
    expect(response.status).toBe(202);
    return (await response.json()) as { task_id: string; call_id: string };
  };

  beforeAll(async () => {
    helpline = await startHelpline({ CUDA_STAGES: "transcript", SYNTHETIC_CALL_SECONDS: "20" });
    // All at once: one of them brings the schema up, the others wait for it.
    [api, other, stream, hearingWorker] = await Promise.all([
      helpline.start("api"),
      helpline.start("api"),
      helpline.start("stream"),
      // As a worker with a GPU serves, which this machine has not.
      helpline.start("worker", ["--queues", "recordings-cuda"]),
      helpline.start("worker"),
    ]);
    key = await helpline.adminKey();
  });
  afterAll(() => helpline.close());

  it("analyse a recording that one api took, and another tells of it", async () => {
    const { task_id: taskId, call_id: callId } = await upload(api);
    const events = request(other, `/audio/task/${taskId}/events`).then((response) => response.text());
    await until("it is analysed", async () => (await json<Task>(other, `/audio/task/${taskId}`)).status === "completed", 60_000, 100);
    expect((await json<Task>(other, `/audio/task/${taskId}`)).result?.transcript?.segments.length).toBeGreaterThan(0);
    expect(await events).toContain("analysis.completed");
    expect((await request(other, `/api/v1/calls/${callId}/audio`)).status).toBe(200);
  });

  it("hear a recording in the worker for that, and read it in the other", async () => {
    const handedOn = async () =>
      Number(
        /jobs_finished_total\{.*queue="recordings-cuda".*outcome="handed_on".*\} (\d+)/.exec(await (await request(hearingWorker, "/metrics")).text())?.[1] ?? 0,
      );
    const before = await handedOn();
    const { task_id: taskId } = await upload(api);
    await until("it is analysed", async () => (await json<Task>(api, `/audio/task/${taskId}`)).status === "completed", 60_000, 100);
    expect(await handedOn()).toBe(before + 1);
    const { queues } = await json<{ queues: readonly { queue: string; completed: number }[] }>(api, "/audio/queue/status");
    expect(queues.find(({ queue }) => queue === "recordings-cuda")).toMatchObject({ completed: 0 });
  });

  it("tell a webhook of an analysis once, whichever of them it was made at", async () => {
    const receiver = await startReceiver();
    try {
      const webhook = { url: `${receiver.url}/helpline`, secret: "a-secret-of-the-test", event_types: ["analysis.completed"] };
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(webhook) };
      const made = await request(other, "/api/v1/webhooks", init);
      expect(made.status).toBe(201);
      const { call_id: callId } = await upload(api);
      await until("it is told", () => receiver.received.length > 0, 60_000, 100);
      expect(receiver.received[0]?.body).toContain(callId);
      const { webhook_id: id } = (await made.json()) as { webhook_id: string };
      expect((await request(api, `/api/v1/webhooks/${id}`, { method: "DELETE" })).status).toBeLessThan(300);
      expect(receiver.received).toHaveLength(1);
    } finally {
      await receiver.close();
    }
  });

  it("take a live call in one process, and show, pause and end it in another", async () => {
    const callId = newStreamId("1");
    const leg = await openLeg(stream.streamPort, callId);
    const speaking = leg.speak(legOf("child-violence-home", 0, 3_000, 3_000 + SPOKEN_MS), 1);
    const active = () => json<{ items: readonly { call_id: string; state: string }[] }>(api, "/api/v1/calls/active");
    await until("it is seen from an api", async () => (await active()).items.some((call) => call.call_id === callId), 20_000, 100);
    const told = request(other, `/api/v1/calls/${callId}/live`).then((response) => response.text());
    expect((await request(api, `/api/v1/calls/${callId}/pause`, { method: "POST" })).status).toBe(200);
    expect((await request(api, `/api/v1/calls/${callId}/resume`, { method: "POST" })).status).toBe(200);
    await speaking;
    expect((await request(other, `/api/v1/calls/${callId}/end`, { method: "POST" })).status).toBe(200);
    await until("it is analysed", async () => (await json<{ status: string }>(api, `/api/v1/calls/${callId}`)).status === "completed", 90_000, 250);
    const events = await told;
    for (const type of ["call.started", "call.paused", "call.resumed", "segment.final", "call.ended", "analysis.completed"]) expect(events).toContain(type);
    expect((await request(api, `/api/v1/calls/${callId}/end`, { method: "POST" })).status).toBe(409);
    leg[Symbol.dispose]();
  });

  it("bring the legs of a call together that come to two streams", async () => {
    const second = await helpline.start("stream");
    const callerId = newStreamId("1");
    const sound = legOf("child-violence-home", 0, 0, 2_000);
    const caller = await openLeg(stream.streamPort, callerId);
    await caller.speak(sound, 0);
    const agent = await openLeg(second.streamPort, `${callerId.slice(0, -1)}2`);
    await agent.speak(sound, 0);
    const call = () => json<{ status: string; duration_ms: number; legs: readonly { channel: string }[] }>(api, `/api/v1/calls/${callerId}`);
    await until("both are of one call", async () => (await call()).legs?.length === 2, 20_000, 100);
    const active = async () => (await json<{ items: readonly { call_id: string }[] }>(api, "/api/v1/calls/active")).items.map((item) => item.call_id);
    await until("it runs", async () => (await active()).length > 0, 20_000, 100);
    expect(await active()).toEqual([callerId]);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    await until("it is analysed", async () => (await call()).status === "completed", 90_000, 250);
    const { audio } = await json<{ audio: { channels: readonly { channel: string; ledger: Readonly<Record<string, number>> }[] } }>(
      api,
      `/api/v1/calls/${callerId}/analysis`,
    );
    expect(audio.channels.map(({ channel, ledger: { gap_ms: _gap, ...ledger } }) => [channel, Object.values(ledger).reduce((sum, ms) => sum + ms, 0)])).toEqual(
      [
        ["caller", 2_000],
        ["agent", 2_000],
      ],
    );
    expect(await second.end("SIGTERM")).toBe(0);
  });

  it("finish the call of a stream that died, with all it had received but the last second, and tell of a worker that did", async () => {
    const [doomed, doomedWorker] = await Promise.all([helpline.start("stream"), helpline.start("worker")]);
    const callId = newStreamId("1");
    const leg = await openLeg(doomed.streamPort, callId);
    await leg.speak(legOf("child-violence-home", 0, 3_000, 3_000 + SPOKEN_MS), 1);
    const workers = async () =>
      (await json<{ workers: readonly { status: string }[] }>(api, "/audio/workers/status")).workers.map(({ status }) => status).sort();
    await until("all workers are seen from an api", async () => (await workers()).join() === "running,running,running", 20_000, 100);
    await Promise.all([doomed.end("SIGKILL"), doomedWorker.end("SIGKILL")]);
    leg[Symbol.dispose]();
    const record = () => json<{ status: string; duration_ms: number }>(api, `/api/v1/calls/${callId}`);
    await until("another has finished it", async () => (await record()).status === "completed", 120_000, 250);
    expect((await record()).duration_ms).toBeGreaterThanOrEqual(SPOKEN_MS - 1_000);
    expect(await workers()).toEqual(["lost", "running", "running"]);
    expect(await json(other, "/health/workers")).toMatchObject({ status: "degraded", workers: { running: 2, lost: 1, stuck: 0 } });
  });

  it("leave no word of a call in Redis", async () => {
    const { task_id: taskId } = await upload(api);
    await until("it is analysed", async () => (await json<Task>(api, `/audio/task/${taskId}`)).status === "completed", 60_000, 100);
    const { result } = await json<Task>(api, `/audio/task/${taskId}`);
    const phrases = spokenPhrases(result);
    expect(phrases.length).toBeGreaterThan(0);
    const written = await helpline.redis.written();
    expect(written).toContain(taskId);
    expect(phrases.filter((phrase) => written.includes(phrase))).toEqual([]);
  });

  it("look for personal data of a call once, whichever of them is asked", async () => {
    const { task_id: taskId, call_id: callId } = await upload(api);
    await until("it is analysed", async () => (await json<Task>(api, `/audio/task/${taskId}`)).status === "completed", 60_000, 100);
    const made = await runCli(["keys", "create", "--label", "an integration", "--role", "service"], { env: helpline.env });
    expect(made.exitCode).toBe(0);
    const service = { headers: { authorization: `Bearer ${made.stdout.trim().split(/\s+/).at(-1)}` } };
    const masked = async (at: RoleProcess) => (await request(at, `/api/v1/calls/${callId}/analysis`, service)).json() as Promise<WireAnalysis>;
    const shown = await masked(api);
    expect(shown.transcript?.segments.length).toBeGreaterThan(0);
    const name = `openchs:result:masking/${callId}`;
    await until("what was found is kept", async () => (await helpline.redis.cli("exists", name)) === "1", 20_000, 50);
    // The others may have masked it for the search: this one has seen nothing.
    const late = await helpline.start("api");
    expect(await masked(late)).toEqual(shown);
    const hits = /helpline_cache_lookups_total\{.*outcome="hit".*\} (\d+)/.exec(await (await request(late, "/metrics")).text())?.[1];
    expect(Number(hits)).toBeGreaterThan(0);
    expect(await late.end("SIGTERM")).toBe(0);
    expect((await request(api, `/api/v1/calls/${callId}`, { method: "DELETE" })).status).toBe(200);
    await until("it is forgotten", async () => (await helpline.redis.cli("exists", name)) === "0", 20_000, 50);
  });

  it("make synthetic calls at one of them, which go through all of them", async () => {
    const passed = async (at: RoleProcess): Promise<number> =>
      Number(/helpline_synthetic_call_seconds_count\{outcome="passed"\} (\d+)/.exec(await (await request(at, "/metrics")).text())?.[1]);
    await until("one passed", async () => (await Promise.all([api, other].map(passed))).some((count) => count > 0), 60_000, 200);
    expect((await Promise.all([api, other].map(passed))).filter((count) => count > 0)).toHaveLength(1);
  });

  it("stop in order when told to", async () => {
    const late = await helpline.start("worker");
    for (const each of [late, other]) expect({ exitCode: await each.end("SIGTERM"), said: each.stderr() }).toMatchObject({ exitCode: 0 });
  });

  it("are refused what they need and was not said", async () => {
    const { exitCode, stderr } = await runCli(["api"], { env: { DATABASE_URL: "", REDIS_URL: "", AUDIO_STORE_URL: "", MASTER_KEY_FILE: "" } });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("set DATABASE_URL, REDIS_URL, AUDIO_STORE_URL, MASTER_KEY_FILE");
    const alone = await runCli(["serve"], { env: helpline.env });
    expect([alone.exitCode === 0, alone.stderr.includes("DATABASE_URL")]).toEqual([false, true]);
  });
});
