/** The gateway over real sockets: access, uploads, tasks, limits, errors, documents. */

import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analysisSchema } from "../../src/protocol/http/analysis-schema.js";
import { problemSchema } from "../../src/protocol/http/problem-schema.js";
import { isGranted, type Permission, USER_ROLES } from "../../src/security/permissions.js";
import { connectTo, legMessages, message } from "../support/audiosocket-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

interface Task {
  readonly task_id: string;
  readonly call_id: string;
  readonly status: string;
  readonly progress: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: string };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: readonly unknown[] }>>>>;
}

const clip = shortClip("child-violence-home", 3);

describe.skipIf(isMissing("pocketsphinx"))("the gateway", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  const upload = async (fields: Readonly<Record<string, string>> = { language: "en" }): Promise<Task> =>
    gateway.json<Task>("agent", "/audio/process", { method: "POST", body: uploadForm(clip, fields) });
  const finished = async (taskId: string): Promise<Task> => {
    let task = await gateway.json<Task>("agent", `/audio/task/${taskId}`);
    await until(
      "the task is done",
      async () => {
        task = await gateway.json<Task>("agent", `/audio/task/${taskId}`);
        return !["queued", "processing"].includes(task.status);
      },
      30_000,
      50,
    );
    return task;
  };

  it("takes a recording with 202 and gives its analysis in the shape it documents", async () => {
    const response = await gateway.request("agent", "/audio/process", { method: "POST", body: uploadForm(clip, { language: "en" }) });
    expect(response.status).toBe(202);
    const accepted = (await response.json()) as Task & { status_endpoint: string };
    expect(accepted.status_endpoint).toBe(`/audio/task/${accepted.task_id}`);
    expect(response.headers.get("location")).toBe(accepted.status_endpoint);
    const task = await finished(accepted.task_id);
    expect(task.status).toBe("completed");
    expect(task.progress).toBe(100);
    const analysis = analysisSchema.parse(task.result);
    expect(analysis.call_id).toBe(accepted.call_id);
    expect(analysis.stages.every(({ status }) => status !== "failed")).toBe(true);
    const texts = new Map(analysis.transcript?.segments.map(({ id, text }) => [id, text]));
    for (const { mentions } of analysis.entities ?? []) {
      for (const mention of mentions) expect(texts.get(mention.segment_id)?.slice(mention.start_offset, mention.end_offset)).toBe(mention.text);
    }
  });

  it("takes the file under the name file, and its own call id once", async () => {
    const callId = "0190c0de-0000-7000-8000-00000000000a";
    const first = await gateway.request("agent", "/audio/process", {
      method: "POST",
      body: uploadForm(clip, { call_id: callId.toUpperCase(), language: "en" }, "file"),
    });
    expect(first.status).toBe(202);
    expect(((await first.json()) as Task).call_id).toBe(callId);
    const before = readdirSync(join(gateway.dataDirectory, "audio")).length;
    const second = await gateway.request("agent", "/audio/process", { method: "POST", body: uploadForm(clip, { call_id: callId }) });
    expect(second.status).toBe(409);
    expect(((await second.json()) as { code: string }).code).toBe("CALL_ID_CONFLICT");
    expect(readdirSync(join(gateway.dataDirectory, "audio"))).toHaveLength(before);
  });

  it("shows the role service what a call was about, without its words one by one", async () => {
    const { task_id: taskId } = await upload();
    const asAgent = await finished(taskId);
    expect(JSON.stringify(asAgent.result)).toContain('"words"');
    const asService = await (await gateway.request("service", `/audio/task/${taskId}`)).text();
    expect(asService).not.toContain('"words"');
    expect(analysisSchema.parse((JSON.parse(asService) as Task).result).classification).not.toBeNull();
  });

  it.each([
    ["an unknown id", "GET", "/audio/task/0190c0de-0000-7000-8000-0000000000ff", 404, "QUEUE_JOB_NOT_FOUND"],
    ["an id that is none", "GET", "/audio/task/..%2f..%2fetc%2fpasswd", 404, "QUEUE_JOB_NOT_FOUND"],
    ["an unknown path", "GET", "/nothing/here", 404, "GATEWAY_NOT_FOUND"],
    ["a body that is no form", "POST", "/audio/process", 415, "GATEWAY_UNSUPPORTED_MEDIA_TYPE"],
  ])("answers %s with a problem document", async (_what, method, path, status, code) => {
    const response = await gateway.request("agent", path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(problemSchema.parse(await response.json())).toMatchObject({ code, status });
  });

  it.each([
    ["no file", new FormData(), 400, "GATEWAY_BAD_REQUEST"],
    ["an empty file", uploadForm(Buffer.alloc(0)), 422, "AUDIO_EMPTY"],
    ["a text file", uploadForm(Buffer.from("not audio at all, whatever its name says")), 415, "AUDIO_UNSUPPORTED_FORMAT"],
    ["a wrong language", uploadForm(clip, { language: "'; drop table call; --" }), 400, "GATEWAY_BAD_REQUEST"],
    ["a file in another field", uploadForm(clip, {}, "attachment"), 400, "GATEWAY_BAD_REQUEST"],
  ])("refuses a form with %s and keeps nothing of it", async (_what, form, status, code) => {
    const before = readdirSync(join(gateway.dataDirectory, "audio")).length;
    const response = await gateway.request("agent", "/audio/process", { method: "POST", body: form });
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status, code });
    expect(readdirSync(join(gateway.dataDirectory, "audio"))).toHaveLength(before);
  });

  it.each([
    [
      "another boundary than it names",
      "multipart/form-data; boundary=zzz",
      '--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\nRIFF\r\n--b--\r\n',
    ],
    ["no boundary", "multipart/form-data", "RIFF"],
    [
      "an end in the middle of a part",
      "multipart/form-data; boundary=b",
      '--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\nRIFF....WAVE',
    ],
  ])("answers a form with %s with 400", async (_what, type, body) => {
    const response = await gateway.request("agent", "/audio/process", { method: "POST", headers: { "content-type": type }, body });
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
  });

  it("answers two files in one form with 400", async () => {
    const form = uploadForm(clip);
    form.set("file", new Blob([new Uint8Array(clip)]), "second.wav");
    expect((await gateway.request("agent", "/audio/process", { method: "POST", body: form })).status).toBe(400);
  });

  it.each([["/audio/task/%zz"], [`/audio/task/${"a".repeat(300)}`]])(
    "answers the unreadable path %s with a problem document that does not repeat it",
    async (path) => {
      const response = await gateway.request("agent", path);
      const text = await response.text();
      expect(problemSchema.parse(JSON.parse(text)).code).toBe("GATEWAY_BAD_REQUEST");
      expect(text).not.toMatch(/%zz|aaaa/);
    },
  );

  it("cancels a queued and a running task", async () => {
    const tasks = await Promise.all(Array.from({ length: 6 }, () => upload()));
    const last = tasks.at(-1)?.task_id ?? "";
    const first = tasks[0]?.task_id ?? "";
    for (const taskId of [last, first]) {
      const response = await gateway.request("agent", `/audio/task/${taskId}`, { method: "DELETE" });
      expect(response.status).toBe(200);
    }
    expect((await finished(last)).status).toBe("cancelled");
    expect(["cancelled", "completed"]).toContain((await finished(first)).status);
    expect(await gateway.json<{ status: string }>("agent", `/audio/task/${last}`, { method: "DELETE" })).toMatchObject({ status: "finished" });
    for (const { task_id: taskId } of tasks) await gateway.request("agent", `/audio/task/${taskId}`, { method: "DELETE" });
  });

  it("leaves nothing behind when a client goes away in the middle of an upload", async () => {
    const before = readdirSync(join(gateway.dataDirectory, "audio")).length;
    const { port } = new URL(gateway.service.url);
    const socket = connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const head = `--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n`;
    socket.write(
      `POST /audio/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.keys.agent}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999999\r\n\r\n${head}`,
    );
    socket.write(clip);
    await until("the upload has begun", () => readdirSync(join(gateway.dataDirectory, "audio")).length > before, 5_000, 5);
    socket.destroy();
    await until("its file is gone", () => readdirSync(join(gateway.dataDirectory, "audio")).length === before, 5_000, 5);
  });

  it("asks for credentials on every path that is not public, and only lets in whom the table names", async () => {
    const { paths } = await gateway.json<OpenApi>("admin", "/openapi.json");
    const guarded = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { security }]) =>
        security?.length === 0 ? [] : [{ path: path.replaceAll(/\{[^}]+\}/g, "x"), method: method.toUpperCase() }],
      ),
    );
    expect(guarded.length).toBeGreaterThan(8);
    for (const { path, method } of guarded) {
      expect((await gateway.request(null, path, { method })).status, `${method} ${path}`).toBe(401);
      expect(
        (await fetch(`${gateway.service.url}${path}`, { method, headers: { authorization: `Bearer oca_${"0".repeat(16)}_${"A".repeat(43)}` } })).status,
      ).toBe(401);
    }
    const permissions: Readonly<Record<string, Permission>> = {
      "/metrics": "metrics:read",
      "/audio/queue/status": "queue:read",
      "/audio/tasks/active": "task:read",
      "/models": "model:read",
      "/health/detailed": "health:read",
    };
    for (const [path, permission] of Object.entries(permissions)) {
      for (const role of USER_ROLES) expect((await gateway.request(role, path)).status, `${role} ${path}`).toBe(isGranted(role, permission) ? 200 : 403);
    }
  });

  it("needs no credentials for health and the API page, and sets security headers on the rest", async () => {
    for (const path of ["/health", "/health/live", "/health/ready", "/docs", "/openapi.json"])
      expect((await gateway.request(null, path)).status, path).toBe(200);
    const { headers } = await gateway.request("agent", "/models", { headers: { origin: "https://elsewhere.example" } });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("strict-transport-security")).toBeNull();
  });

  it("moves every metric it declares", async () => {
    await finished((await upload()).task_id);
    await gateway.request(null, "/models");
    // Nobody listens there: a delivery that fails is counted too.
    const webhook = JSON.stringify({ url: "http://127.0.0.1:1/", secret: "sixteen characters" });
    await gateway.request("admin", "/api/v1/webhooks", { method: "POST", body: webhook, headers: { "content-type": "application/json" } });
    const [gone, here] = await Promise.all([1, 2].map(() => connectTo(Number(gateway.service.streamAddress?.split(":")[1]))));
    const speech = legMessages("6619d336-b468-40e0-945e-09e4d1d600ff", legOf("school-bullying", 1, 0, 4_000));
    gone?.end(Buffer.concat([...speech, message(0x42, Buffer.from("of a newer exchange"))]));
    here?.write(Buffer.concat(legMessages("6619d336-b468-40e0-945e-09e4d1d600fe", new Int16Array(800))));
    await until(
      "the first has ended, and was measured",
      async () => (await (await gateway.request("admin", "/metrics")).text()).includes("calls_live_lag_seconds_count 1"),
      20_000,
      25,
    );
    // A stream that is open while its recording is analysed.
    const stream = await gateway.request("agent", "/audio/process-stream", { method: "POST", body: uploadForm(shortClip("child-labour", 2)) });
    const text = await (await gateway.request("admin", "/metrics")).text();
    await stream.body?.cancel();
    const declared = [...text.matchAll(/^# TYPE (helpline_\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => ({ name, type }));
    expect(declared.length).toBeGreaterThan(10);
    // A crash moves the one and five minutes the other: the tests of the pool and of synthetic calls see to that.
    const still = declared.filter(({ name, type }) => {
      const series = type === "histogram" ? `${name}_count` : name;
      return ![...text.matchAll(new RegExp(`^${series}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].some(([, value]) => Number(value) > 0);
    });
    expect(still.map(({ name }) => name)).toEqual(["helpline_synthetic_call_seconds", "helpline_inference_process_restarts_total"]);
    here?.destroy();
    expect(text).not.toMatch(/helpline_[^\n]*[0-9a-f]{8}-[0-9a-f]{4}-/);
  });
});

describe("the gateway's limits", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({
      REQUESTS_PER_SECOND: "5",
      REQUEST_BURST: "10",
      UPLOADS_AT_ONCE: "1",
      UPLOAD_IDLE_TIMEOUT_MS: "400",
      AUDIO_MAX_BYTES: "60000",
    });
  });
  afterAll(() => gateway.stop());

  it("refuses a recording over the limit with 413, told or found", async () => {
    const before = readdirSync(join(gateway.dataDirectory, "audio")).length;
    const found = await gateway.request("supervisor", "/audio/process", { method: "POST", body: uploadForm(shortClip("child-labour", 4)) });
    expect(found.status).toBe(413);
    const told = await gateway.request("supervisor", "/audio/process", { method: "POST", body: uploadForm(Buffer.concat([clip, Buffer.alloc(400_000)])) });
    expect(told.status).toBe(413);
    expect(readdirSync(join(gateway.dataDirectory, "audio"))).toHaveLength(before);
  });

  it("gives the place of an upload that stands still to another", async () => {
    const { port } = new URL(gateway.service.url);
    const head = `POST /audio/process HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.keys.supervisor}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000\r\n\r\n`;
    const standStill = () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {}).resume();
      socket.write(`${head}--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n`);
      socket.write(clip.subarray(0, 2_000));
      return socket;
    };
    const upload = () =>
      gateway.request("supervisor", "/audio/process", { method: "POST", body: uploadForm(shortClip("silent-prank", 1), { language: "en" }) });
    // On a busy machine another upload may take longer than one that stands still is let be.
    let socket = standStill();
    const isRefused = async () => {
      if (socket.closed) socket = standStill();
      return (await upload()).status === 429;
    };
    await until("its place is taken", isRefused, 30_000, 20);
    await until("the place is free", async () => (await upload()).status === 202, 10_000, 100);
  });

  it("counts one key's requests together, however its header is spelled", async () => {
    const spellings = ["Bearer", "bearer", "BEARER", "bEaReR", "beareR"];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        fetch(`${gateway.service.url}/models`, { headers: { authorization: `${spellings[index % 5]} ${gateway.keys.service}` } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(20);
  });

  it("answers 429 with Retry-After to one key's flood, without harm to another's or to health", async () => {
    const flood = await Promise.all(Array.from({ length: 40 }, () => gateway.request("agent", "/models")));
    const refused = flood.filter(({ status }) => status === 429);
    expect(flood.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
    expect(refused.length).toBeGreaterThan(10);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await gateway.request("admin", "/models")).status).toBe(200);
    expect((await Promise.all(Array.from({ length: 40 }, () => gateway.request(null, "/health/live")))).every(({ status }) => status === 200)).toBe(true);
  });
});
