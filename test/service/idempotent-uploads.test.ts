/** Uploads repeated under an Idempotency-Key, and recordings without a header of their own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expandUlaw } from "../../src/audio/g711.js";
import { acceptedSchema } from "../../src/protocol/http/recording-schema.js";
import { ask } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { callerAlaw, callerSamples, doubledRate, toSlin, toUlaw } from "../support/raw-formats.js";
import { analysed, audioFiles, endOf, upload, uploaded } from "../support/recording-client.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const clip = quietClip("clip");
const other = quietClip("other");

/** Status and code of a refusal, or status alone. */
async function refusalOf(response: Response): Promise<{ status: number; code: string }> {
  return { status: response.status, code: ((await response.json()) as { code: string }).code };
}

describe("an upload with an idempotency key", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  const stored = async () => ({ calls: await gateway.countCalls(), files: audioFiles(gateway).length });
  const withKey = (key: string) => ({ headers: { "idempotency-key": key } });

  it("is one call when it is sent twice, also when the first has ended", async () => {
    const before = await stored();
    const first = await uploaded(gateway, clip, withKey("twice"));
    const second = await uploaded(gateway, clip, withKey("twice"));
    const ended = await endOf(gateway, first.task_id);
    const third = await uploaded(gateway, clip, withKey("twice"));
    expect(first.status).toBe("queued");
    expect([second.task_id, third.task_id]).toEqual([first.task_id, first.task_id]);
    expect([second.call_id, third.call_id]).toEqual([first.call_id, first.call_id]);
    expect(third.status).toBe(ended.status);
    expect(await stored()).toEqual({ calls: before.calls + 1, files: before.files + 1 });
  });

  it("is one call when it is sent ten times at once", async () => {
    const before = await stored();
    const answers = await Promise.all(Array.from({ length: 10 }, () => uploaded(gateway, clip, withKey("ten at once"))));
    expect(new Set(answers.map(({ task_id: taskId, call_id: callId }) => `${taskId} ${callId}`)).size).toBe(1);
    await endOf(gateway, answers[0]?.task_id ?? "");
    expect(await stored()).toEqual({ calls: before.calls + 1, files: before.files + 1 });
  });

  it("is refused under a key that another recording has, and nothing of it is kept", async () => {
    const first = await uploaded(gateway, clip, withKey("taken"));
    const before = await stored();
    const refused = { status: 422, code: "CALL_IDEMPOTENCY_KEY_REUSED" };
    expect(await refusalOf(await upload(gateway, other, withKey("taken")))).toEqual(refused);
    const many = await Promise.all(Array.from({ length: 5 }, () => upload(gateway, other, withKey("taken"))));
    expect(await Promise.all(many.map(refusalOf))).toEqual(Array.from({ length: 5 }, () => refused));
    expect(await stored()).toEqual(before);
    expect((await uploaded(gateway, clip, withKey("taken"))).task_id).toBe(first.task_id);
  });

  it("has one winner when two recordings race for a key", async () => {
    const before = await stored();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => upload(gateway, index % 2 === 0 ? clip : other, withKey("race"))));
    const statuses = answers.map(({ status }) => status);
    const [even, odd] = [0, 1].map((half) => new Set(statuses.filter((_, index) => index % 2 === half)));
    expect([[...(even ?? [])], [...(odd ?? [])]].sort()).toEqual([[202], [422]]);
    await until("the losers' files are gone", () => audioFiles(gateway).length === before.files + 1, 5_000);
    expect(await stored()).toEqual({ calls: before.calls + 1, files: before.files + 1 });
  });

  it("is a call of its own under the same key of another client", async () => {
    const roles = ["agent", "supervisor", "service", "admin"] as const;
    const answers = [];
    for (const role of roles) answers.push(await uploaded(gateway, clip, { role, ...withKey("everybody's") }));
    expect(new Set(answers.map(({ call_id: callId }) => callId)).size).toBe(roles.length);
    const otherFile = await upload(gateway, other, { role: "admin", ...withKey("only the agent's so far, then the admin's") });
    expect(otherFile.status).toBe(202);
  });

  it("is two calls when it has no key, or another one", async () => {
    const answers = [
      await uploaded(gateway, clip),
      await uploaded(gateway, clip),
      await uploaded(gateway, clip, withKey("a")),
      await uploaded(gateway, clip, withKey("b")),
    ];
    expect(new Set(answers.map(({ call_id: callId }) => callId)).size).toBe(4);
  });

  it("is one call by any of the paths that take one", async () => {
    const first = await uploaded(gateway, clip, { path: "/audio/analyze", ...withKey("analyze") });
    expect((await uploaded(gateway, clip, { path: "/audio/analyze", ...withKey("analyze") })).task_id).toBe(first.task_id);
    const streams = [1, 2].map(() => upload(gateway, clip, { path: "/audio/process-stream", ...withKey("stream") }));
    const responses = await Promise.all(streams);
    const texts = await Promise.all(responses.map((response) => response.text()));
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(responses.map(({ headers }) => headers.get("x-task-id"))).size).toBe(1);
    expect(texts.every((text) => text.includes("analysis.completed"))).toBe(true);
  });

  it.each([0, 256])("is refused with 400 under a key of %i characters", async (length) => {
    const key = "k".repeat(length);
    const before = await stored();
    const { body, type } = await encoded(clip);
    const answer = await ask(gateway, "/audio/process", { method: "POST", headers: { "content-type": type, "idempotency-key": key }, body });
    expect(answer.status).toBe(400);
    expect(await stored()).toEqual(before);
  });

  it("may have a key of 255 characters of any printable kind", async () => {
    const key = "Key/1 \"x\"; a=b, 'c' %00 ".padEnd(255, "~");
    const first = await uploaded(gateway, clip, withKey(key));
    expect((await uploaded(gateway, clip, withKey(key))).task_id).toBe(first.task_id);
  });

  it("is taken again after its call was deleted, as a call that is there", async () => {
    const first = await analysed(gateway, clip, withKey("deleted since"));
    expect((await ask(gateway, `/api/v1/calls/${first.accepted.call_id}`, { role: "admin", method: "DELETE" })).status).toBe(200);
    const again = await analysed(gateway, clip, withKey("deleted since"));
    expect((await ask(gateway, `/api/v1/calls/${again.accepted.call_id}`)).status).toBe(200);
  });
});

async function encoded(audio: Buffer): Promise<{ body: Buffer; type: string }> {
  const form = new Response(uploadForm(audio, { language: "en" }));
  return { body: Buffer.from(await form.arrayBuffer()), type: form.headers.get("content-type") ?? "" };
}

describe("a recording without a header", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  const samples = callerSamples("child-labour", 2);
  const formats = [
    { format: "ulaw", bytes: toUlaw(samples), sampleRateHz: 8_000 },
    { format: "alaw", bytes: callerAlaw("child-labour", 2), sampleRateHz: 8_000 },
    { format: "slin", bytes: toSlin(samples), sampleRateHz: 8_000 },
    { format: "slin16", bytes: toSlin(doubledRate(samples)), sampleRateHz: 16_000 },
  ];

  it("is what the test says it is", () => {
    // Mu-law keeps 14 bits of 16: what it gives back is near, and near enough for any mistake of the encoder to show.
    const back = expandUlaw(toUlaw(samples));
    const far = samples.filter((sample, index) => Math.abs(sample - (back[index] ?? 0)) > 8 + Math.abs(sample) / 16);
    expect(far).toHaveLength(0);
  });

  it.each(formats)("of the format $format named in the query is analysed and kept as it came", async ({ format, bytes, sampleRateHz }) => {
    const { accepted, task } = await analysed(gateway, bytes, { path: `/audio/process?format=${format}` });
    expect(task.result?.audio).toMatchObject({ duration_ms: 2_000, sample_rate_hz: sampleRateHz });
    expect(task.result?.audio?.channels).toHaveLength(1);
    const { speech_ms: speech, silence_ms: silence, failed_ms: failed } = task.result?.audio?.ledger ?? { speech_ms: 0, silence_ms: 0, failed_ms: 0 };
    expect(speech + silence + failed).toBe(2_000);
    const original = await ask(gateway, `/api/v1/calls/${accepted.call_id}/audio?format=original`);
    expect(original.body.equals(bytes)).toBe(true);
  });

  it.each(formats)("of the format $format may be named in the form before the file", async ({ format, bytes, sampleRateHz }) => {
    const form = new FormData();
    form.set("format", format);
    form.set("audio", new Blob([new Uint8Array(bytes)]), "call.raw");
    form.set("language", "en");
    const response = await gateway.request("agent", "/audio/process", { method: "POST", body: form });
    expect(response.status).toBe(202);
    const task = await endOf(gateway, acceptedSchema.parse(await response.json()).task_id);
    expect(task.result?.audio).toMatchObject({ duration_ms: 2_000, sample_rate_hz: sampleRateHz });
  });

  it("is refused when nobody names its format, whatever the file is called", async () => {
    const before = audioFiles(gateway).length;
    const form = new FormData();
    form.set("audio", new Blob([new Uint8Array(formats[0]?.bytes ?? [])]), "call.ulaw");
    const response = await gateway.request("agent", "/audio/process", { method: "POST", body: form });
    expect(await refusalOf(response)).toEqual({ status: 415, code: "AUDIO_UNSUPPORTED_FORMAT" });
    expect(audioFiles(gateway)).toHaveLength(before);
  });

  it.each(["mp3", "ULAW", "", "ulaw;alaw"])("is refused with 400 under the format %j, which is none", async (format) => {
    const before = audioFiles(gateway).length;
    const response = await upload(gateway, formats[0]?.bytes ?? Buffer.alloc(0), { path: `/audio/process?format=${encodeURIComponent(format)}` });
    expect(await refusalOf(response)).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
    expect(audioFiles(gateway)).toHaveLength(before);
  });

  it("is refused when it is empty, whatever its format", async () => {
    expect(await refusalOf(await upload(gateway, Buffer.alloc(0), { path: "/audio/process?format=ulaw" }))).toEqual({ status: 422, code: "AUDIO_EMPTY" });
  });
});
