/** The events of a task over real HTTP: numbers, types, payloads, resuming, who sees what, how a stream ends. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALL_EVENTS, type WireCallEvent } from "../../src/protocol/call-events.js";
import { type EventReader, numbersTo, openEvents, openTaskEvents } from "../support/event-stream-client.js";
import { ask, codeOf, encodeForm } from "../support/http-client.js";
import { type Accepted, analysed, endOf, uploaded, type WireTask } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { auditLines, lastAuditSeq } from "../support/service-database.js";
import { withoutText } from "../support/spoken-words.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const UNKNOWN_ID = "0190c0de-0000-7000-8000-0000000000ff";
const STAGES = ["decode", "voice_activity", "transcript", "translation", "entities", "classification", "risk", "summary", "answers", "quality"];
/** Long enough for a risk, names and several segments. */
const clip = shortClip("child-violence-home", 12);

const typesOf = (events: readonly WireCallEvent[]): readonly string[] => events.map(({ type }) => type);
const ofType = (events: readonly WireCallEvent[], type: string): readonly WireCallEvent[] => events.filter((event) => event.type === type);
const newest = (events: readonly WireCallEvent[], type: string): Record<string, unknown> => ofType(events, type).at(-1)?.payload ?? {};
const isLast = ({ type }: WireCallEvent): boolean => type === "analysis.completed" || type === "call.failed";

async function allEvents(gateway: TestGateway, taskId: string): Promise<readonly WireCallEvent[]> {
  return (await openTaskEvents(gateway, taskId)).end();
}

describe.skipIf(isMissing("pocketsphinx"))("the events of a task", () => {
  let gateway: TestGateway;
  let accepted: Accepted;
  let task: WireTask;
  /** Followed from the first event on, while the recording was analysed. */
  let live: EventReader;
  let events: readonly WireCallEvent[];

  beforeAll(async () => {
    gateway = await startGateway();
    accepted = await uploaded(gateway, clip);
    live = await openTaskEvents(gateway, accepted.task_id);
    events = await live.end();
    task = await endOf(gateway, accepted.task_id);
  });
  afterAll(() => gateway.stop());

  it("come as server-sent events that no cache keeps", () => {
    expect(live.status).toBe(200);
    expect(live.headers["content-type"]).toMatch(/^text\/event-stream\b/);
    expect(live.headers["cache-control"]).toMatch(/no-(store|cache)/);
    expect(live.outcome()).toBe("ended");
  });

  it("are numbered from 1 without a gap, all of one call, in the order of time", () => {
    expect(live.seqs()).toEqual(numbersTo(events.length));
    expect(new Set(events.map(({ call_id: callId }) => callId))).toEqual(new Set([accepted.call_id]));
    const times = events.map(({ at }) => Date.parse(at));
    expect(times.every(Number.isFinite)).toBe(true);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(events.every(({ at }) => /Z$/.test(at))).toBe(true);
  });

  it("begin with the start of the call and end with the end of its analysis, each once", () => {
    expect(events[0]).toMatchObject({ type: "call.started", payload: { task_id: accepted.task_id, source: "upload" } });
    expect(events.at(-1)).toMatchObject({ type: "analysis.completed", payload: { task_id: accepted.task_id, is_partial: false } });
    expect(typesOf(events).filter((type) => type === "call.started")).toHaveLength(1);
    expect(events.filter(isLast)).toHaveLength(1);
  });

  it("have the payloads that are documented, nothing less and nothing more", () => {
    for (const { type, payload, seq } of events) {
      const parsed = CALL_EVENTS[type].payload.parse(payload);
      expect(parsed, `event ${seq}, ${type}`).toEqual(payload);
      expect(payload["task_id"]).toBe(accepted.task_id);
    }
  });

  it("tell of every stage, with a progress that never falls", () => {
    const progressed = ofType(events, "analysis.progressed").map(({ payload }) => payload);
    expect(progressed.map(({ stage }) => stage)).toEqual(task.result?.stages.map(({ stage }) => stage));
    expect([...progressed.map(({ stage }) => stage)].sort()).toEqual([...STAGES].sort());
    expect(progressed.map(({ status }) => status)).toEqual(task.result?.stages.map(({ status }) => status));
    const progress = progressed.map((payload) => Number(payload["progress"]));
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(new Set(progress).size).toBeGreaterThan(3);
  });

  it("tell of words before what rests on them", () => {
    const types = typesOf(events);
    const lastWords = types.lastIndexOf("segment.final");
    expect(lastWords).toBeGreaterThan(0);
    for (const type of ["entities.updated", "classification.updated", "risk.raised", "summary.updated", "quality.updated"] as const)
      for (const { seq } of ofType(events, type)) expect(seq - 1, type).toBeGreaterThan(lastWords);
  });

  it("add up to the analysis", () => {
    const segments = new Map(ofType(events, "segment.final").map(({ payload }) => [(payload["segment"] as { id: string }).id, payload["segment"]]));
    expect(task.result?.transcript?.segments.length).toBeGreaterThan(1);
    const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
    expect([...(segments.values() as Iterable<{ id: string }>)].sort(byId)).toEqual([...(task.result?.transcript?.segments ?? [])].sort(byId));
    expect(newest(events, "entities.updated")["entities"]).toEqual(task.result?.entities);
    expect(newest(events, "classification.updated")["classification"]).toEqual(task.result?.classification);
    expect(newest(events, "summary.updated")["summary"]).toEqual(task.result?.summary);
    expect(newest(events, "quality.updated")["quality"]).toEqual(task.result?.quality);
    expect(ofType(events, "risk.raised").map(({ payload }) => payload["finding"])).toEqual(task.result?.risk);
    expect(ofType(events, "translation.added")).toHaveLength(task.result?.translation === null ? 0 : 1);
  });

  it("are the same when they are read again after the task has ended", async () => {
    expect(await allEvents(gateway, accepted.task_id)).toEqual(events);
  });

  it("go on behind Last-Event-ID, or ?after=, with exactly the rest", async () => {
    for (const seen of [0, 1, 2, Math.floor(events.length / 2), events.length - 1]) {
      const byHeader = await openTaskEvents(gateway, accepted.task_id, { lastEventId: seen });
      const byQuery = await openEvents(gateway, `/audio/task/${accepted.task_id}/events?after=${seen}`);
      expect(await byHeader.end(), `header ${seen}`).toEqual(events.slice(seen));
      expect(await byQuery.end(), `query ${seen}`).toEqual(events.slice(seen));
    }
  });

  it("follow Last-Event-ID where both are sent, as a browser does that connects again", async () => {
    const reader = await openEvents(gateway, `/audio/task/${accepted.task_id}/events?after=1`, { lastEventId: events.length - 2 });
    expect(await reader.end()).toEqual(events.slice(-2));
  });

  it("are answered with 204 when the task has ended and nothing is new", async () => {
    for (const seen of [events.length, events.length + 1, 999_999_999]) {
      const answer = await ask(gateway, `/audio/task/${accepted.task_id}/events`, { headers: { "last-event-id": String(seen) } });
      expect({ status: answer.status, byteCount: answer.body.length }, `after ${seen}`).toEqual({ status: 204, byteCount: 0 });
    }
  });

  it.each(["abc", "-1", "1.5", "0x10", "1e3", "1234567890", "1 2"])("are refused behind the number %j with 400", async (id) => {
    const path = `/audio/task/${accepted.task_id}/events`;
    for (const answer of [await ask(gateway, path, { headers: { "last-event-id": id } }), await ask(gateway, `${path}?after=${encodeURIComponent(id)}`)])
      expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
  });

  it.each([UNKNOWN_ID, "nonsense", "..%2fkeys"])("of the task %s, which is none, are answered with 404", async (taskId) => {
    const answer = await ask(gateway, `/audio/task/${taskId}/events`);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 404, code: "QUEUE_JOB_NOT_FOUND" });
  });

  it("need credentials, however they are asked for", async () => {
    for (const method of ["GET", "HEAD"])
      expect((await ask(gateway, `/audio/task/${accepted.task_id}/events`, { role: null, method })).status, method).toBe(401);
  });

  it("show the role service no words with times, and everything but the texts as it is", async () => {
    const reader = await openTaskEvents(gateway, accepted.task_id, { role: "service" });
    const masked = await reader.end();
    expect(masked.map(withoutText)).toEqual(events.map(withoutText));
    expect(reader.text()).not.toContain('"words"');
  });

  it("leave one audit record for every stream with clear text, and none for a stream without", async () => {
    const readsBy = async (role: "agent" | "supervisor" | "admin" | "service") => {
      const before = await lastAuditSeq(gateway);
      await (await openTaskEvents(gateway, accepted.task_id, { role })).end();
      const lines = await auditLines(gateway, before);
      return lines.filter(({ action }) => action === "transcript.read");
    };
    for (const role of ["agent", "supervisor", "admin"] as const) {
      const reads = await readsBy(role);
      expect(reads, role).toHaveLength(1);
      expect(reads[0]).toMatchObject({ role, outcome: "allowed" });
      expect([accepted.task_id, accepted.call_id]).toContain(reads[0]?.target);
    }
    expect(await readsBy("service")).toEqual([]);
  });

  it("come with the upload itself, under the ids that its headers name", async () => {
    const { body, headers } = await encodeForm(uploadForm(shortClip("child-labour", 3), { language: "en" }));
    const reader = await openEvents(gateway, "/audio/process-stream", { method: "POST", headers, body });
    expect(reader.status).toBe(200);
    expect(reader.headers["content-type"]).toMatch(/^text\/event-stream\b/);
    const [taskId, callId] = [String(reader.headers["x-task-id"]), String(reader.headers["x-call-id"])];
    const streamed = await reader.end();
    expect(reader.seqs()).toEqual(numbersTo(streamed.length));
    expect(streamed.at(-1)?.type).toBe("analysis.completed");
    expect(streamed.every((event) => event.call_id === callId && event.payload["task_id"] === taskId)).toBe(true);
    expect(await allEvents(gateway, taskId)).toEqual(streamed);
    expect((await endOf(gateway, taskId)).call_id).toBe(callId);
  });

  it("say that the analysis is partial, and why, when a stage failed", async () => {
    const { task: partial } = await analysed(gateway, shortClip("child-labour", 3), { fields: { language: "sw" } });
    const told = await allEvents(gateway, partial.task_id);
    expect(told.at(-1)).toMatchObject({ type: "analysis.completed", payload: { is_partial: true } });
    const failed = ofType(told, "analysis.progressed").filter(({ payload }) => payload["status"] === "failed");
    expect(failed.at(-1)?.payload).toMatchObject({ stage: "transcript", error_code: "MODEL_NOT_READY" });
    expect(ofType(told, "segment.final")).toEqual([]);
  });

  it("end with the failure of a recording that can't be read, and its code", async () => {
    const garbage = Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(20_000, 0xa7)]);
    const refusedLater = await uploaded(gateway, garbage);
    const told = await allEvents(gateway, refusedLater.task_id);
    const failed = await endOf(gateway, refusedLater.task_id);
    expect(failed).toMatchObject({ status: "failed", error: { code: "AUDIO_CORRUPT" } });
    expect(told.at(-1)).toMatchObject({ type: "call.failed", payload: { task_id: refusedLater.task_id, status: "failed", error_code: "AUDIO_CORRUPT" } });
    expect(told.filter(isLast)).toHaveLength(1);
    expect(told.map(({ seq }) => seq)).toEqual(numbersTo(told.length));
    expect((await openTaskEvents(gateway, refusedLater.task_id, { lastEventId: told.length })).status).toBe(204);
  });

  it("end when the task is cancelled, for who follows it and for who comes later", async () => {
    const running = await Promise.all([1, 2, 3, 4].map(() => uploaded(gateway, shortClip("custody-maintenance", 10))));
    const queued = await uploaded(gateway, clip);
    const follower = await openTaskEvents(gateway, queued.task_id);
    await until("the follower has seen the start", () => follower.events.length > 0, 10_000);
    const answer = await gateway.json<{ status: string }>("agent", `/audio/task/${queued.task_id}`, { method: "DELETE" });
    expect(answer.status).toBe("cancelled");
    const told = await follower.end();
    const failure = { task_id: queued.task_id, status: "cancelled", error_code: "QUEUE_JOB_CANCELLED" };
    expect(told.map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: "call.started", payload: { task_id: queued.task_id, source: "upload" } },
      { type: "call.failed", payload: failure },
    ]);
    expect(await allEvents(gateway, queued.task_id)).toEqual(told);
    for (const { task_id: taskId } of running) await gateway.request("agent", `/audio/task/${taskId}`, { method: "DELETE" });
    for (const { task_id: taskId } of running) {
      const { status } = await endOf(gateway, taskId);
      const last = (await allEvents(gateway, taskId)).at(-1);
      if (status === "cancelled") expect(last).toMatchObject({ type: "call.failed", payload: { status: "cancelled", error_code: "QUEUE_JOB_CANCELLED" } });
      else expect(last?.type).toBe("analysis.completed");
    }
  });

  it("end when the call is deleted while somebody follows", async () => {
    const doomed = await uploaded(gateway, shortClip("early-marriage", 10));
    const follower = await openTaskEvents(gateway, doomed.task_id);
    await until("the follower has seen the start", () => follower.events.length > 0, 10_000);
    expect((await ask(gateway, `/api/v1/calls/${doomed.call_id}`, { role: "admin", method: "DELETE" })).status).toBe(200);
    await until("the stream is over", () => follower.outcome() !== "open", 10_000);
    expect(follower.seqs()).toEqual(numbersTo(follower.events.length));
  });
});
