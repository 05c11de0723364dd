/** One call over HTTP: record, transcript, segments, analysis while and after the work, who sees what, what is recorded. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { analysisSchema, type WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { callPageSchema, callSchema, callSegmentsSchema, callTranscriptSchema } from "../../src/protocol/http/call-schema.js";
import { ask, codeOf, type SentRequest } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { type Accepted, analysed, endOf, untilProcessing, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { auditLines, lastAuditSeq, verifyAudit } from "../support/service-database.js";
import { withoutText } from "../support/spoken-words.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const UNKNOWN_ID = "0190c0de-0000-7000-8000-0000000000ff";
const SUB_PATHS = ["", "/transcript", "/segments", "/analysis", "/audio", "/export"];

/** The answer as a schema says it is, with no field that the schema does not know. */
async function got<Schema extends z.ZodObject>(gateway: TestGateway, schema: Schema, path: string, sent: SentRequest = {}): Promise<z.infer<Schema>> {
  const answer = await ask(gateway, path, sent);
  expect(answer.status, answer.body.toString("utf8")).toBe(200);
  return schema.strict().parse(JSON.parse(answer.body.toString("utf8"))) as z.infer<Schema>;
}

describe.skipIf(isMissing("pocketsphinx"))("a call that was analysed", () => {
  let gateway: TestGateway;
  let accepted: Accepted;
  let analysis: WireAnalysis;
  let path: string;

  beforeAll(async () => {
    gateway = await startGateway();
    const ended = await analysed(gateway, shortClip("child-violence-home", 12));
    accepted = ended.accepted;
    analysis = analysisSchema.parse(ended.task.result);
    path = `/api/v1/calls/${accepted.call_id}`;
  });
  afterAll(() => gateway.stop());

  it("has a record of when it was, how long and in which language", async () => {
    const call = await got(gateway, callSchema, path);
    const { call_id: callId } = accepted;
    expect(call).toMatchObject({ call_id: callId, source: "upload", status: "completed", duration_ms: 12_000, languages: ["en"], legal_hold: false });
    expect(Math.abs(Date.parse(call.started_at) - Date.now())).toBeLessThan(600_000);
  });

  it("has its analysis, the one its task has", async () => {
    expect(await got(gateway, analysisSchema, `${path}/analysis`)).toEqual(analysis);
  });

  it("has its transcript as one text, with segments only when they are asked for", async () => {
    const bare = {
      call_id: accepted.call_id,
      status: "completed",
      transcript: analysis.transcript?.text,
      language: "en",
      low_quality: true,
      duration_ms: 12_000,
    };
    for (const query of ["", "?include_segments=0", "?include_segments=false"])
      expect(await got(gateway, callTranscriptSchema, `${path}/transcript${query}`), query).toEqual(bare);
    for (const query of ["?include_segments=1", "?include_segments=true"])
      expect(await got(gateway, callTranscriptSchema, `${path}/transcript${query}`), query).toEqual({ ...bare, segments: analysis.transcript?.segments });
    expect((await ask(gateway, `${path}/transcript?include_segments=maybe`)).status).toBe(400);
  });

  it("has its segments in pages, in the order they were spoken", async () => {
    const whole = await got(gateway, callSegmentsSchema, `${path}/segments`);
    expect(whole).toEqual({ items: analysis.transcript?.segments, next_cursor: null });
    expect(whole.items.length).toBeGreaterThan(1);
    for (const limit of [1, 2, whole.items.length, whole.items.length + 1]) {
      const pages = [await got(gateway, callSegmentsSchema, `${path}/segments?limit=${limit}`)];
      for (let cursor = pages[0]?.next_cursor ?? null; cursor !== null; cursor = pages.at(-1)?.next_cursor ?? null)
        pages.push(await got(gateway, callSegmentsSchema, `${path}/segments?limit=${limit}&cursor=${encodeURIComponent(cursor)}`));
      expect(pages.flatMap(({ items }) => items)).toEqual(whole.items);
      expect(pages).toHaveLength(Math.ceil(whole.items.length / limit));
    }
    for (const query of ["cursor=nonsense", "limit=0", "limit=501"]) expect((await ask(gateway, `${path}/segments?${query}`)).status, query).toBe(400);
  });

  it.each([UNKNOWN_ID, "nonsense", "..%2f..%2fetc%2fpasswd", "a".repeat(64)])("is not there under the id %s, by any path", async (callId) => {
    for (const sub of SUB_PATHS) {
      const answer = await ask(gateway, `/api/v1/calls/${callId}${sub}`);
      expect({ sub, status: answer.status, code: codeOf(answer) }).toEqual({ sub, status: 404, code: "CALL_NOT_FOUND" });
    }
    const deletion = await ask(gateway, `/api/v1/calls/${callId}`, { role: "admin", method: "DELETE" });
    expect({ status: deletion.status, code: codeOf(deletion) }).toEqual({ status: 404, code: "CALL_NOT_FOUND" });
  });

  it("shows the role service masked texts, no words with times, and everything else as it is", async () => {
    for (const sub of SUB_PATHS.filter((candidate) => candidate !== "/audio")) {
      const answer = await ask(gateway, `${path}${sub}`, { role: "service" });
      expect({ sub, status: answer.status }).toEqual({ sub, status: 200 });
      expect(answer.body.includes('"words"')).toBe(false);
    }
    const masked = await got(gateway, analysisSchema, `${path}/analysis`, { role: "service" });
    expect(withoutText(masked)).toEqual(withoutText(analysis));
    const segments = { items: masked.transcript?.segments, next_cursor: null };
    expect(await got(gateway, callSegmentsSchema, `${path}/segments`, { role: "service" })).toEqual(segments);
    const transcript = await got(gateway, callTranscriptSchema, `${path}/transcript?include_segments=1`, { role: "service" });
    expect(transcript).toMatchObject({ language: "en", segments: segments.items });
    expect(transcript.transcript).toBe(masked.transcript?.segments.map(({ text }) => text).join("\n"));
  });

  it("is heard by no role service, and by nobody without a role", async () => {
    for (const format of ["original", "opus"]) {
      const answer = await ask(gateway, `${path}/audio?format=${format}`, { role: "service" });
      expect({ format, status: answer.status, code: codeOf(answer) }).toEqual({ format, status: 403, code: "AUTH_PERMISSION_DENIED" });
    }
    expect((await ask(gateway, `${path}/audio`, { role: "service", method: "HEAD" })).status).toBe(403);
    for (const sub of SUB_PATHS)
      for (const method of ["GET", "HEAD"]) expect((await ask(gateway, `${path}${sub}`, { role: null, method })).status, `${method} ${sub}`).toBe(401);
  });

  it("leaves one audit record for every look at its words, and none for a look that shows none", async () => {
    for (const sub of ["/analysis", "/transcript", "/segments"]) {
      for (const role of ["agent", "supervisor", "admin", "service"] as const) {
        const before = await lastAuditSeq(gateway);
        await ask(gateway, `${path}${sub}`, { role });
        const reads = (await auditLines(gateway, before)).filter(({ action }) => action === "transcript.read");
        expect(reads, `${role} ${sub}`).toHaveLength(role === "service" ? 0 : 1);
        for (const read of reads) expect(read).toMatchObject({ role, outcome: "allowed", target: accepted.call_id });
      }
    }
  });

  it("leaves an audit record when it is heard, exported, or refused to somebody", async () => {
    const looks: readonly [string, SentRequest, string, string][] = [
      ["/audio?format=original", {}, "recording.read", "allowed"],
      ["/export", {}, "call.exported", "allowed"],
      ["/export?text=clear", {}, "call.exported_clear", "allowed"],
      ["/audio?format=original", { role: "service" }, "access.denied", "denied"],
      ["", { method: "DELETE" }, "access.denied", "denied"],
    ];
    for (const [sub, sent, action, outcome] of looks) {
      const before = await lastAuditSeq(gateway);
      await ask(gateway, `${path}${sub}`, sent);
      const lines = await auditLines(gateway, before);
      expect(
        lines.filter((line) => line.action === action && line.outcome === outcome),
        `${action} by ${sub}`,
      ).toHaveLength(1);
    }
    expect(await verifyAudit(gateway)).toMatchObject({ brokenAtSeq: null });
  });

  it("is kept by no cache, and sent again only when it has changed", async () => {
    for (const sub of ["", "/analysis", "/transcript", "/segments"]) {
      const first = await ask(gateway, `${path}${sub}`);
      expect(first.headers["cache-control"], sub).toContain("no-store");
      const { etag = "" } = first.headers;
      expect(etag, sub).toMatch(/^(W\/)?"[^"]+"$/);
      const again = await ask(gateway, `${path}${sub}`, { headers: { "if-none-match": etag } });
      expect({ sub, status: again.status, byteCount: again.body.length }).toEqual({ sub, status: 304, byteCount: 0 });
      expect((await ask(gateway, `${path}${sub}`, { headers: { "if-none-match": '"another"' } })).status).toBe(200);
    }
    const list = await ask(gateway, "/api/v1/calls");
    const again = await ask(gateway, "/api/v1/calls", { headers: { "if-none-match": list.headers.etag ?? "" } });
    expect([again.status, list.headers["cache-control"]]).toEqual([304, expect.stringContaining("no-store")]);
  });

  it.each([
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ])("is sent compressed by %s to who takes that, and means the same", async (encoding, decompress) => {
    const plain = await ask(gateway, `${path}/analysis`, { headers: { "accept-encoding": "identity" } });
    const compressed = await ask(gateway, `${path}/analysis`, { headers: { "accept-encoding": encoding } });
    expect([plain.headers["content-encoding"], compressed.headers["content-encoding"]]).toEqual([undefined, encoding]);
    expect(compressed.headers.vary).toMatch(/accept-encoding/i);
    expect(decompress(compressed.body).equals(plain.body)).toBe(true);
    expect(compressed.body.length).toBeLessThan(plain.body.length / 2);
    const again = await ask(gateway, `${path}/analysis`, { headers: { "accept-encoding": encoding, "if-none-match": compressed.headers.etag ?? "" } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });
});

describe("a call in work", () => {
  let gateway: TestGateway;
  let running: Accepted;
  let queued: Accepted;
  beforeAll(async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1" });
    running = await uploaded(gateway, shortClip("custody-maintenance", 30));
    await untilProcessing(gateway, running.task_id);
    queued = await uploaded(gateway, quietClip("waits"));
  });
  afterAll(() => gateway.stop());

  const analysisOf = (callId: string): Promise<WireAnalysis> => got(gateway, analysisSchema, `/api/v1/calls/${callId}/analysis`);

  it("has an analysis that says it is queued and tells nothing yet", async () => {
    const path = `/api/v1/calls/${queued.call_id}`;
    const nothing = { transcript: null, entities: null, classification: null, risk: null, summary: null, quality: null, stages: [] };
    expect(await analysisOf(queued.call_id)).toMatchObject({ call_id: queued.call_id, task_id: queued.task_id, status: "queued", ...nothing });
    expect(await got(gateway, callSchema, path)).toMatchObject({ status: "queued", duration_ms: null });
    expect(await got(gateway, callTranscriptSchema, `${path}/transcript`)).toMatchObject({ status: "queued", transcript: null });
    expect(await got(gateway, callSegmentsSchema, `${path}/segments`)).toEqual({ items: [], next_cursor: null });
  });

  it("has an analysis that grows while the work goes on", async () => {
    let partial = await analysisOf(running.call_id);
    const isDecoded = async (): Promise<boolean> => {
      partial = await analysisOf(running.call_id);
      return partial.stages.some(({ stage, status }) => stage === "decode" && status === "completed");
    };
    await until("the recording is decoded", isDecoded, 30_000, 20);
    expect(partial.status).toBe("processing");
    expect((await got(gateway, callSchema, `/api/v1/calls/${running.call_id}`)).status).toBe("processing");
    const { status } = await endOf(gateway, running.task_id);
    expect(await analysisOf(running.call_id)).toMatchObject({ status, call_id: running.call_id });
  });

  it("has an analysis that says how it ended, also when it failed or was cancelled", async () => {
    const failing = await uploaded(gateway, Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(9_000, 0xa7)]));
    await endOf(gateway, failing.task_id);
    const busy = await uploaded(gateway, shortClip("custody-maintenance", 10));
    await untilProcessing(gateway, busy.task_id);
    const cancelled = await uploaded(gateway, quietClip("cancelled"));
    expect((await ask(gateway, `/audio/task/${cancelled.task_id}`, { method: "DELETE" })).status).toBe(200);
    for (const [{ call_id: callId }, status] of [
      [failing, "failed"],
      [cancelled, "cancelled"],
    ] as const) {
      expect(await analysisOf(callId), status).toMatchObject({ status });
      expect(await got(gateway, callSchema, `/api/v1/calls/${callId}`)).toMatchObject({ status });
      const listed = await got(gateway, callPageSchema, `/api/v1/calls?status=${status}`);
      expect(listed.items.map((call) => call.call_id)).toEqual([callId]);
    }
  });
});
