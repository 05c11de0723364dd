/** Webhooks over real sockets: every event, in order, signed, without a name, whatever the other side does. */
import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SAID_IN_CHILD_LABOUR } from "../support/said-words.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.js";

const SECRET = "a secret of the helpline";
const scripted = { inferenceEntry: { url: new URL("../support/scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] } };

interface SentEvent {
  readonly seq: number;
  readonly type: string;
  readonly call_id: string;
}

describe("webhooks", () => {
  let gateway: TestGateway;
  let receiver: WebhookReceiver;
  beforeAll(async () => {
    process.env["SCRIPTED_WORDS"] = SAID_IN_CHILD_LABOUR.join(",");
    gateway = await startGateway({ DEFAULT_LANGUAGES: "en" }, scripted);
  });
  afterAll(async () => {
    delete process.env["SCRIPTED_WORDS"];
    await gateway.stop();
  });
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    const { items } = await gateway.json<{ items: readonly { webhook_id: string }[] }>("admin", "/api/v1/webhooks");
    for (const { webhook_id } of items) await gateway.request("admin", `/api/v1/webhooks/${webhook_id}`, { method: "DELETE" });
    await receiver.close();
  });

  const post = (path: string, body: object = {}): Promise<Response> =>
    gateway.request("admin", path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const subscribe = async (settings: object = {}): Promise<string> => {
    const response = await post("/api/v1/webhooks", { url: `${receiver.url}/helpline`, secret: SECRET, ...settings });
    expect(response.status).toBe(201);
    return ((await response.json()) as { webhook_id: string }).webhook_id;
  };
  const upload = async (): Promise<string> =>
    (await gateway.json<{ call_id: string }>("agent", "/audio/process", { method: "POST", body: uploadForm(shortClip("child-labour", 3)) })).call_id;
  const sentEvents = (callId: string): readonly SentEvent[] =>
    receiver.received.map(({ body }) => JSON.parse(body) as SentEvent).filter((event) => event.call_id === callId);
  const completed = (callId: string) => until("the analysis is told", () => sentEvents(callId).some(({ type }) => type === "analysis.completed"), 30_000, 25);

  it("are told every event of a call in order, signed, and masked", async () => {
    await subscribe();
    const callId = await upload();
    await completed(callId);
    const events = sentEvents(callId);
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).sort((a, b) => a - b));
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["call.started", "segment.final", "entities.updated", "summary.updated"]));
    for (const { headers, body } of receiver.received) {
      expect(headers["openchs-signature"]).toBe(`sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`);
      for (const hidden of [SAID_IN_CHILD_LABOUR[0], '"words"']) expect(body).not.toContain(hidden);
    }
    const told = receiver.received.map(({ body }) => body).join("");
    for (const word of ["[NAME_1]", ...SAID_IN_CHILD_LABOUR.slice(1)]) expect(told).toContain(word);
    expect(new Set(receiver.received.map(({ headers }) => headers["openchs-message-id"])).size).toBe(receiver.received.length);
  });

  it("lose nothing and keep the order when the other side was away or refused", async () => {
    const { url } = receiver;
    await receiver.close();
    await subscribe({ url: `${url}/helpline` });
    const callIds = await Promise.all([upload(), upload(), upload()]);
    for (const callId of callIds) {
      await until(
        "it is analysed",
        async () => (await gateway.json<{ status: string }>("agent", `/api/v1/calls/${callId}`)).status === "completed",
        30_000,
        50,
      );
    }
    receiver = await startReceiver(Number(new URL(url).port));
    let refusals = 2;
    receiver.answer = () => ({ status: refusals-- > 0 ? 503 : 200 });
    for (const callId of callIds) await completed(callId);
    for (const callId of callIds) {
      const seqs = sentEvents(callId).map(({ seq }) => seq);
      expect([...new Set(seqs)]).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    }
  });

  it("go on after the service was stopped in the middle", async () => {
    const { url } = receiver;
    await receiver.close();
    const other = await startGateway({ DEFAULT_LANGUAGES: "en" }, scripted);
    const created = await other.request("admin", "/api/v1/webhooks", {
      ...{ method: "POST", body: JSON.stringify({ url: `${url}/x`, secret: SECRET }), headers: { "content-type": "application/json" } },
    });
    expect(created.status).toBe(201);
    const { call_id } = await other.json<{ call_id: string }>("agent", "/audio/process", { method: "POST", body: uploadForm(shortClip("child-labour", 2)) });
    await until("it is analysed", async () => (await other.json<{ status: string }>("agent", `/api/v1/calls/${call_id}`)).status === "completed", 30_000, 50);
    await other.service.stop();
    receiver = await startReceiver(Number(new URL(url).port));
    const next = await startGateway({ DEFAULT_LANGUAGES: "en" }, { ...scripted, dataDirectory: other.dataDirectory });
    await completed(call_id);
    await next.stop();
    await other.stop();
    expect(sentEvents(call_id)[0]?.type).toBe("call.started");
  });

  it("speak the older service's envelope, in its base64 wrapper and with its token", async () => {
    receiver.answer = ({ path }) => (path === "/token" ? { status: 200, body: JSON.stringify({ ss: [["tok-1", "x"]] }) } : { status: 201 });
    await subscribe({ format: "openchs_base64", authorization: "Basic aGVscDpsaW5l", token_url: `${receiver.url}/token` });
    const callId = await upload();
    const wrapped = (): readonly { session_id: string; message: string; channel: string; mime: string }[] =>
      receiver.received.filter(({ path }) => path === "/helpline").map(({ body }) => JSON.parse(body));
    const envelopes = () =>
      wrapped()
        .filter(({ session_id }) => session_id === callId)
        .map(({ message }) => JSON.parse(Buffer.from(message, "base64").toString("utf8")) as { notification_type: string; version: string });
    await until("it is complete", () => envelopes().some(({ notification_type }) => notification_type === "postcall_complete"), 30_000, 25);
    expect(envelopes().map(({ notification_type }) => notification_type)).toEqual(
      expect.arrayContaining([
        "postcall_start",
        "postcall_transcription",
        "postcall_entities",
        "postcall_classification",
        "postcall_summary",
        "postcall_qa_scoring",
      ]),
    );
    expect(wrapped()[0]).toMatchObject({ channel: "aii", mime: "application/json" });
    expect(receiver.received.find(({ path }) => path === "/token")?.headers["authorization"]).toBe("Basic aGVscDpsaW5l");
    expect(receiver.received.filter(({ path }) => path === "/helpline").every(({ headers }) => headers["authorization"] === "Bearer tok-1")).toBe(true);
  });

  it("can be tried out, and say plainly when they do not work", async () => {
    const id = await subscribe();
    expect((await post(`/api/v1/webhooks/${id}/test`)).status).toBe(204);
    expect(receiver.received).toHaveLength(1);
    receiver.answer = () => ({ status: 500 });
    const refused = await post(`/api/v1/webhooks/${id}/test`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([502, "DELIVERY_FAILED"]);
  });

  it("never show a secret, and are for admins alone", async () => {
    await subscribe({ authorization: "Basic c2VjcmV0" });
    const listed = await (await gateway.request("admin", "/api/v1/webhooks")).text();
    for (const secret of [SECRET, "c2VjcmV0", "/helpline"]) expect(listed).not.toContain(secret);
    for (const role of ["agent", "supervisor", "service"] as const) expect((await gateway.request(role, "/api/v1/webhooks")).status).toBe(403);
  });

  it.each([
    ["a file", { url: "file:///etc/passwd", secret: SECRET }],
    ["a short secret", { url: "http://127.0.0.1/", secret: "short" }],
    ["an unknown event", { url: "http://127.0.0.1/", secret: SECRET, event_types: ["call.exploded"] }],
  ])("are not made of %s", async (_what, body) => {
    expect((await post("/api/v1/webhooks", body)).status).toBe(400);
  });
});
