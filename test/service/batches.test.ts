/** Many recordings in one request: each is taken or refused on its own, and the batch tells how far they are. */
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import { problemSchema } from "../../src/protocol/http/problem-schema.js";
import { acceptedBatchSchema, batchSchema } from "../../src/protocol/http/recording-schema.js";
import { quietClip } from "../support/quiet-clip.js";
import { audioFiles, endOf, taskOf } from "../support/recording-client.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { until } from "../support/until.js";

type AcceptedBatch = z.infer<typeof acceptedBatchSchema>;
type Batch = z.infer<typeof batchSchema>;

interface BatchFile {
  readonly name: string;
  readonly bytes: Buffer;
  /** Undefined: it is taken in. */
  readonly refusal?: { readonly code: string; readonly status: number };
  /** Taken in, and found out later. */
  readonly failure?: string;
}

const MAX_BYTES = 60_000;
/** A request that is not answered within this is not answered at all. */
const ANSWER_MS = 10_000;
const good = (name: string): BatchFile => ({ name, bytes: quietClip(name) });
const spoken = (name: string, id: string): BatchFile => ({ name, bytes: shortClip(id, 3) });
const EMPTY: BatchFile = { name: "empty.wav", bytes: Buffer.alloc(0), refusal: { code: "AUDIO_EMPTY", status: 422 } };
const TEXT: BatchFile = {
  name: "text.wav",
  bytes: Buffer.from("not audio, whatever its name says"),
  refusal: { code: "AUDIO_UNSUPPORTED_FORMAT", status: 415 },
};
const BIG: BatchFile = { name: "big.wav", bytes: shortClip("child-labour", 5), refusal: { code: "AUDIO_TOO_LARGE", status: 413 } };
const GARBAGE: BatchFile = { name: "garbage.flac", bytes: Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(9_000, 0xa7)]), failure: "AUDIO_CORRUPT" };
const ENDED = ["completed", "failed", "cancelled", "refused"];

function batchForm(files: readonly BatchFile[], fields: Readonly<Record<string, string>> = { language: "en" }): FormData {
  const form = new FormData();
  for (const [index, { name, bytes }] of files.entries()) form.append(index % 2 === 0 ? "audio" : "file", new Blob([new Uint8Array(bytes)]), name);
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

describe("a batch of recordings", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ AUDIO_MAX_BYTES: String(MAX_BYTES) });
  });
  afterAll(() => gateway.stop());

  const post = (files: readonly BatchFile[], headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    gateway.request("agent", "/audio/batch", { method: "POST", headers, body: batchForm(files), signal: AbortSignal.timeout(ANSWER_MS) });
  const accepted = async (files: readonly BatchFile[], headers: Readonly<Record<string, string>> = {}): Promise<AcceptedBatch> => {
    const response = await post(files, headers);
    expect(response.status).toBe(202);
    const batch = acceptedBatchSchema.parse(await response.json());
    expect(response.headers.get("location") ?? batch.status_endpoint).toBe(batch.status_endpoint);
    expect(batch.status_endpoint).toBe(`/audio/batch/${batch.batch_id}`);
    return batch;
  };
  const get = async (batchId: string): Promise<Batch> => batchSchema.parse(await gateway.json("agent", `/audio/batch/${batchId}`));
  const endOfBatch = async (batchId: string): Promise<{ batch: Batch; progress: readonly number[] }> => {
    const seen: Batch[] = [];
    const hasEnded = async (): Promise<boolean> => {
      seen.push(await get(batchId));
      return seen.at(-1)?.status !== "processing";
    };
    await until("the batch has ended", hasEnded, 90_000, 20);
    return { batch: seen.at(-1) ?? (await get(batchId)), progress: seen.map(({ progress }) => progress) };
  };
  const stored = async () => ({ calls: await gateway.countCalls(), files: audioFiles(gateway).length });

  it.each([
    ["bad files first", [EMPTY, TEXT, GARBAGE, good("a.wav"), good("b.wav")]],
    ["bad files in the middle", [good("c.wav"), GARBAGE, EMPTY, TEXT, good("d.wav")]],
    ["bad files last", [good("e.wav"), good("f.wav"), GARBAGE, TEXT, EMPTY]],
    ["bad files between good ones", [good("g.wav"), EMPTY, good("h.wav"), GARBAGE, good("i.wav"), TEXT, good("j.wav")]],
    ["a file over the limit first", [BIG, good("k.wav")]],
    ["a file over the limit in the middle", [good("l.wav"), BIG, good("m.wav")]],
    ["a file over the limit last", [good("n.wav"), BIG]],
    ["every kind of bad file", [TEXT, good("o.wav"), BIG, EMPTY, BIG, good("p.wav"), GARBAGE, BIG]],
  ] as const)("with %s takes the good ones and says of each bad one what is wrong", async (_what, files) => {
    const before = await stored();
    const batch = await accepted(files);
    expect(batch.items.map(({ position }) => position)).toEqual(files.map((_, index) => index));
    expect(batch.items.map((item) => item.file_name)).toEqual(files.map(({ name }) => name));
    for (const [index, { refusal }] of (files as readonly BatchFile[]).entries()) {
      const item = batch.items[index];
      if (refusal === undefined) expect(item).toMatchObject({ status: "queued", status_endpoint: expect.stringMatching(/^\/audio\/task\//) as string });
      else expect(item).toMatchObject({ status: "refused", error: refusal });
    }
    const taken = files.filter((file: BatchFile) => file.refusal === undefined).length;
    expect(await stored()).toEqual({ calls: before.calls + taken, files: before.files + taken });
    const { batch: ended } = await endOfBatch(batch.batch_id);
    expect(ended).toMatchObject({ status: "completed", progress: 100 });
    for (const [index, { refusal, failure }] of (files as readonly BatchFile[]).entries()) {
      const item = ended.items[index];
      expect(item?.status).toBe(refusal !== undefined ? "refused" : failure !== undefined ? "failed" : "completed");
      expect(item?.error?.code).toBe(refusal?.code ?? failure);
      if (item?.task_id !== undefined) expect((await taskOf(gateway, item.task_id)).call_id).toBe(item.call_id);
    }
  });

  it("tells a progress that rises to a hundred, and is completed when every file has ended", async () => {
    const batch = await accepted([spoken("a.wav", "child-labour"), EMPTY, spoken("b.wav", "school-bullying"), good("c.wav")]);
    const { batch: ended, progress } = await endOfBatch(batch.batch_id);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.length).toBeGreaterThan(2);
    expect([progress.at(-1), ended.status]).toEqual([100, "completed"]);
    expect(progress.slice(0, -1).every((value) => value < 100)).toBe(true);
    expect(ended.items.every(({ status, progress: own }) => ENDED.includes(status) && own === 100)).toBe(true);
    const taskId = ended.items[0]?.task_id ?? "";
    expect((await taskOf(gateway, taskId)).result?.call_id).toBe(ended.items[0]?.call_id);
  });

  it("has failed when not one of its files was analysed", async () => {
    const batch = await accepted([GARBAGE, EMPTY, { ...GARBAGE, name: "more.flac" }]);
    const { batch: ended } = await endOfBatch(batch.batch_id);
    expect(ended).toMatchObject({ status: "failed", progress: 100 });
    expect(ended.items.map(({ status }) => status)).toEqual(["failed", "refused", "failed"]);
  });

  it.each([
    ["of several kinds", [TEXT, EMPTY, TEXT]],
    ["among them one over the limit", [TEXT, BIG, EMPTY, BIG]],
  ] as const)("is refused with every file's code, in order, when all are bad, %s, and keeps nothing", async (_kinds, files) => {
    const before = await stored();
    const response = await post(files);
    expect(response.status).toBe(422);
    const problem = problemSchema.parse(await response.json());
    expect(problem.code).toBe("CALL_BATCH_REFUSED");
    expect(Object.values(problem.details ?? {})).toContainEqual(files.map(({ refusal }) => refusal?.code));
    // What a refused file left is removed in its own time.
    await until("nothing of it is kept", async () => JSON.stringify(await stored()) === JSON.stringify(before), 5_000);
  });

  it.each([
    ["no file", batchForm([])],
    ["a wrong language", batchForm([good("a.wav"), good("b.wav")], { language: "'; drop table call; --" })],
  ])("with %s is refused as a whole, and nothing of it is kept", async (_what, form) => {
    const before = await stored();
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", body: form, signal: AbortSignal.timeout(ANSWER_MS) });
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
    expect(await stored()).toEqual(before);
  });

  it("refuses a file in another field on its own", async () => {
    const form = batchForm([good("a.wav")]);
    form.append("attachment", new Blob(["RIFF"]), "x.wav");
    form.append("audio", new Blob([new Uint8Array(quietClip("b.wav"))]), "b.wav");
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", body: form, signal: AbortSignal.timeout(ANSWER_MS) });
    const items = acceptedBatchSchema.parse(await response.json()).items;
    expect(items.map(({ status }) => status)).toEqual(["queued", "refused", "queued"]);
    expect(items[1]).toMatchObject({ file_name: "x.wav", error: { code: "GATEWAY_BAD_REQUEST" } });
  });

  it("gives no file the call id that the form names", async () => {
    const callId = "0190c0de-0000-7000-8000-0000000000b1";
    const form = batchForm([good("a.wav"), good("b.wav")], { language: "en", call_id: callId });
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", body: form });
    expect([202, 400]).toContain(response.status);
    expect(await response.text()).not.toContain(callId);
    expect((await gateway.request("agent", `/api/v1/calls/${callId}`)).status).toBe(404);
  });

  it("is the same tasks when it is sent again under its idempotency key", async () => {
    const files = [good("a.wav"), TEXT, good("b.wav")];
    const idsOf = ({ items }: AcceptedBatch) => items.map((item) => ("task_id" in item ? item.task_id : item.error.code));
    const first = await accepted(files, { "idempotency-key": "batch" });
    const before = await stored();
    const second = await accepted(files, { "idempotency-key": "batch" });
    await endOfBatch(second.batch_id);
    const third = await accepted(files, { "idempotency-key": "batch" });
    expect([idsOf(second), idsOf(third)]).toEqual([idsOf(first), idsOf(first)]);
    expect(new Set(idsOf(first)).size).toBe(3);
    expect(await stored()).toEqual(before);
    expect((await endOfBatch(third.batch_id)).batch.status).toBe("completed");
  });

  it("refuses the file that is another one than under the same key before, and no other", async () => {
    const first = await accepted([good("a.wav"), good("b.wav")], { "idempotency-key": "changed" });
    const before = await stored();
    const second = await accepted([good("a.wav"), good("c.wav")], { "idempotency-key": "changed" });
    expect(second.items[0]).toMatchObject({ task_id: first.items[0] !== undefined && "task_id" in first.items[0] ? first.items[0].task_id : "" });
    expect(second.items[1]).toMatchObject({ status: "refused", error: { code: "CALL_IDEMPOTENCY_KEY_REUSED", status: 422 } });
    expect(await stored()).toEqual(before);
  });

  it("may have forty files", async () => {
    const files = Array.from({ length: 40 }, (_, index) => good(`${index}.wav`));
    const batch = await accepted(files);
    expect(batch.items.map(({ position, file_name: name }) => `${position}.wav ${name}`)).toEqual(files.map(({ name }) => `${name} ${name}`));
    const { batch: ended } = await endOfBatch(batch.batch_id);
    expect(ended.items.filter(({ status }) => status === "completed")).toHaveLength(40);
    const taskIds = ended.items.map(({ task_id: taskId }) => taskId ?? "");
    expect(new Set(taskIds).size).toBe(40);
    expect((await endOf(gateway, taskIds.at(-1) ?? "")).result?.audio?.duration_ms).toBe(1_000);
  });

  it.each(["0190c0de-0000-7000-8000-0000000000ff", "nonsense", "..%2f.."])("that is none is answered with 404: %s", async (batchId) => {
    const response = await gateway.request("agent", `/audio/batch/${batchId}`);
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status: 404, code: "CALL_BATCH_NOT_FOUND" });
  });

  it("that another role asks for tells the same, and no word", async () => {
    const batch = await accepted([good("a.wav"), TEXT]);
    await endOfBatch(batch.batch_id);
    const asService = batchSchema.parse(await gateway.json("service", `/audio/batch/${batch.batch_id}`));
    expect(asService).toEqual(await get(batch.batch_id));
    expect((await gateway.request(null, `/audio/batch/${batch.batch_id}`)).status).toBe(401);
  });
});

describe("the limits of a batch", () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await startGateway({ BATCH_MAX_FILES: "3", UPLOADS_AT_ONCE: "1", UPLOAD_IDLE_TIMEOUT_MS: "2000", AUDIO_MAX_BYTES: String(MAX_BYTES) });
  });
  afterEach(async () => {
    const next = (): Promise<Response> =>
      gateway.request("agent", "/audio/batch", { method: "POST", body: batchForm([TEXT]), signal: AbortSignal.timeout(ANSWER_MS) });
    try {
      await until("no file lies there without a call", () => audioFiles(gateway).length === 0, 5_000);
      expect(await gateway.countCalls()).toBe(0);
      await until("the only place for an upload is free again", async () => (await next()).status === 422, 5_000, 50);
    } finally {
      await gateway.stop();
    }
  });

  it("refuse more files than are allowed, and keep none of them", async () => {
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", body: batchForm(["a", "b", "c", "d"].map((name) => good(name))) });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(problemSchema.parse(await response.json()).code).toMatch(/^(GATEWAY|AUDIO|CALL)_/);
  });

  it("leave nothing of a request that is cut in the middle of its third file", async () => {
    const socket = connect(Number(new URL(gateway.service.url).port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const part = (name: string): string => `--b\r\nContent-Disposition: form-data; name="audio"; filename="${name}"\r\n\r\n`;
    socket.write(
      `POST /audio/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.keys.agent}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999999\r\n\r\n`,
    );
    for (const name of ["a.wav", "b.wav"]) socket.write(Buffer.concat([Buffer.from(part(name)), good(name).bytes, Buffer.from("\r\n")]));
    socket.write(Buffer.concat([Buffer.from(part("c.wav")), good("c.wav").bytes.subarray(0, 9_000)]));
    await until("the third file has begun", () => audioFiles(gateway).length === 3, 10_000, 5);
    socket.destroy();
  });

  it("leave nothing of a form whose end is missing", async () => {
    const body = Buffer.concat([
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n`),
      good("a.wav").bytes,
      Buffer.from(`\r\n--b\r\nContent-Disposition: form-data; name="audio"; filename="b.wav"\r\n\r\n`),
      good("b.wav").bytes.subarray(0, 5_000),
    ]);
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
  });

  it("leave nothing of a request in which nothing arrives any more", async () => {
    const socket = connect(Number(new URL(gateway.service.url).port), "127.0.0.1");
    socket.on("error", () => {}).resume();
    socket.write(
      `POST /audio/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.keys.agent}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999999\r\n\r\n`,
    );
    const part = (name: string): string => `--b\r\nContent-Disposition: form-data; name="audio"; filename="${name}"\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(part("a.wav")), good("a.wav").bytes, Buffer.from(`\r\n${part("b.wav")}`), good("b.wav").bytes.subarray(0, 3_000)]));
    await until("the second file has begun", () => audioFiles(gateway).length === 2, 10_000, 5);
    await until("the request was ended", () => socket.destroyed, 10_000, 20);
  });

  it("leave nothing of a request whose only file is over the limit", async () => {
    const response = await gateway.request("agent", "/audio/batch", { method: "POST", body: batchForm([BIG]), signal: AbortSignal.timeout(ANSWER_MS) });
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({ status: 422, code: "CALL_BATCH_REFUSED" });
  });
});
