/** Requests to model endpoints that are refused, by the field that is wrong; and questions about a call. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analysisSchema } from "../../src/protocol/http/analysis-schema.js";
import { problemSchema } from "../../src/protocol/http/problem-schema.js";
import { askModel, askWhisper, taskIn, untilStatus } from "../support/model-client.js";
import { analysed, audioFiles, endOf, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { auditLines, lastAuditSeq } from "../support/service-database.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";

const clip = shortClip("child-violence-home", 4);
const TEXT_FIELDS: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ["/ner/extract", "text", {}],
  ["/classifier/classify", "text", {}],
  ["/classifier/classify", "narrative", {}],
  ["/summarizer/summarize", "text", {}],
  ["/qa/evaluate", "transcript", {}],
  ["/qa/evaluate", "text", {}],
  ["/qa/answer", "context", { question: "Where is she?" }],
  ["/qa/answer", "question", { context: "She is at home." }],
  ["/translate/", "text", { language: "sw" }],
];
const WRONG_TEXTS = ["", "   ", "\n\t \u00a0\u3000", 7, null, true, ["text"], { text: "text" }, "x".repeat(200_001)];

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

async function problemOf(response: Response) {
  const text = await response.text();
  expect(response.headers.get("content-type"), text).toContain("application/problem+json");
  const problem = problemSchema.parse(JSON.parse(text));
  expect(problem.status).toBe(response.status);
  return { ...problem, text };
}

async function expectRefused(response: Response, status: number, code: string, naming?: string): Promise<void> {
  const problem = await problemOf(response);
  expect({ status: problem.status, code: problem.code }).toEqual({ status, code });
  if (naming !== undefined) expect(`${problem.detail} ${JSON.stringify(problem.details)}`).toContain(naming);
}

describe("a request to a model endpoint", () => {
  it.each(TEXT_FIELDS)("at %s is refused with 400 when %s is blank, too long or no text", async (path, field, rest) => {
    for (const wrong of WRONG_TEXTS) await expectRefused(await askModel(gateway, path, { ...rest, [field]: wrong }), 400, "GATEWAY_BAD_REQUEST", field);
  });

  it.each(TEXT_FIELDS)("at %s does not repeat the words of a refused %s", async (path, field, rest) => {
    const { text } = await problemOf(await askModel(gateway, path, { ...rest, [field]: ["Zumbarela told us"] }));
    expect(text).not.toContain("Zumbarela");
  });

  it.each([
    ["/ner/extract", "text"],
    ["/classifier/classify", "text"],
    ["/summarizer/summarize", "text"],
    ["/qa/evaluate", "transcript"],
    ["/qa/answer", "question"],
    ["/translate/", "text"],
  ])("at %s is refused with 400 when %s is left out", async (path, field) => {
    await expectRefused(await askModel(gateway, path, {}), 400, "GATEWAY_BAD_REQUEST", field);
  });

  it.each([
    ["/ner/extract", "flat", { text: "I live in Kisumu.", flat: "yes" }],
    ["/summarizer/summarize", "max_length", { text: "I live in Kisumu.", max_length: 0 }],
    ["/summarizer/summarize", "max_length", { text: "I live in Kisumu.", max_length: 1.5 }],
    ["/qa/evaluate", "threshold", { transcript: "I live in Kisumu.", threshold: 1.01 }],
    ["/qa/evaluate", "return_raw", { transcript: "I live in Kisumu.", return_raw: "no" }],
    ["/qa/answer", "question", { context: "I live in Kisumu.", question: "x".repeat(501) }],
    ["/translate/", "language", { text: "Niko Dodoma.", language: "Swahili, please" }],
    ["/translate/", "target_language", { text: "Niko Dodoma.", language: "sw", target_language: "'; drop table call; --" }],
  ])("at %s is refused with 400 when %s breaks its rule in %j", async (path, field, body) => {
    await expectRefused(await askModel(gateway, path, body), 400, "GATEWAY_BAD_REQUEST", field);
  });

  it.each(["-1", "61", "1.5", "ten", "Infinity", "NaN"])("is refused with 400 when it would wait %s seconds", async (wait) => {
    const body = { text: "I live in Kisumu." };
    await expectRefused(await askModel(gateway, `/ner/extract?wait=${wait}`, body), 400, "GATEWAY_BAD_REQUEST", "wait");
    await expectRefused(
      await gateway.request("agent", `/whisper/transcribe?wait=${wait}`, { method: "POST", body: uploadForm(clip) }),
      400,
      "GATEWAY_BAD_REQUEST",
    );
  });

  it("is refused with 400 when it wants another shape than there is", async () => {
    await expectRefused(await askModel(gateway, "/ner/extract?shape=other", { text: "I live in Kisumu." }), 400, "GATEWAY_BAD_REQUEST", "shape");
  });

  it.each([
    ["broken JSON", "application/json", '{"text": "I live', 400],
    ["nothing", "application/json", "", 400],
    ["a list", "application/json", '[{"text":"x"}]', 400],
    ["a text", "application/json", '"I live in Kisumu."', 400],
    ["null", "application/json", "null", 400],
    ["plain text", "text/plain", "I live in Kisumu.", 415],
    ["a form", "application/x-www-form-urlencoded", "text=I+live+in+Kisumu", 415],
  ])("is refused when its body is %s", async (_what, type, body, status) => {
    for (const path of ["/ner/extract", "/classifier/classify", "/qa/answer"]) {
      const problem = await problemOf(await gateway.request("agent", path, { method: "POST", headers: { "content-type": type }, body }));
      expect(problem.status, path).toBe(status);
      expect(problem.text).not.toContain("Kisumu");
    }
  });

  const sentence = "Naitwa Zuhura, ninaishi Kisumu. ";
  const longest = sentence.repeat(Math.floor(200_000 / sentence.length)).padEnd(200_000, ".");

  it.each([
    ["of letters of the alphabet", JSON.stringify({ text: longest })],
    ["of Amharic letters", JSON.stringify({ text: "\u1230\u120b\u121d ".repeat(50_000) })],
    // As Python's json.dumps writes everything beyond ASCII.
    ["of Amharic letters, escaped", JSON.stringify({ text: "#".repeat(200_000) }).replaceAll("#", "\\u1230")],
  ])("is taken with the longest text there may be, %s", async (_what, body) => {
    const response = await gateway.request("agent", "/ner/extract?wait=60", { method: "POST", headers: { "content-type": "application/json" }, body });
    expect(response.status, (await response.text()).slice(0, 300)).toBe(200);
  });

  it.each(["/translate/", "/translate"])("at %s is a task that fails while no engine translates", async (path) => {
    const failed = { status: "failed", error: { code: "MODEL_NOT_READY", status: 503 } };
    const body = { text: "Niko Dodoma.", language: "sw" };
    const waited = await taskIn(await askModel(gateway, `${path}?wait=30`, body));
    expect(waited).toMatchObject(failed);
    expect(waited).not.toHaveProperty("result");
    const accepted = await taskIn(await askModel(gateway, path, body), 202);
    expect(accepted.status_endpoint).toBe(`/translate/task/${accepted.task_id}`);
    expect(await untilStatus(gateway, accepted.status_endpoint ?? "", ["completed", "failed"])).toMatchObject(failed);
  });

  it("needs credentials, and may come from every role", async () => {
    for (const [path, , rest] of TEXT_FIELDS) expect((await askModel(gateway, path, { ...rest, text: "x" }, null)).status).toBe(401);
    for (const role of ["agent", "supervisor", "service", "admin"] as const)
      expect((await askModel(gateway, "/ner/extract?wait=30", { text: "I live in Kisumu." }, role)).status).toBe(200);
  });
});

describe.skipIf(isMissing("pocketsphinx"))("a recording sent to the speech model", () => {
  it.each([
    ["no file", new FormData(), 400, "GATEWAY_BAD_REQUEST"],
    ["an empty file", uploadForm(Buffer.alloc(0)), 422, "AUDIO_EMPTY"],
    ["a letter", uploadForm(Buffer.from("Dear helpline, this is no recording, whatever its name says.")), 415, "AUDIO_UNSUPPORTED_FORMAT"],
    ["a wrong language", uploadForm(clip, { language: "Swahili, please" }), 400, "GATEWAY_BAD_REQUEST"],
    ["its file in another field", uploadForm(clip, {}, "attachment"), 400, "GATEWAY_BAD_REQUEST"],
  ])("is refused with %s, and nothing of it is kept", async (_what, body, status, code) => {
    const before = audioFiles(gateway).length;
    await expectRefused(await gateway.request("agent", "/whisper/transcribe?wait=30", { method: "POST", body }), status, code);
    expect(audioFiles(gateway)).toHaveLength(before);
  });

  it("may come under the name file", async () => {
    const response = await gateway.request("agent", "/whisper/transcribe?wait=60", { method: "POST", body: uploadForm(clip, { language: "en" }, "file") });
    expect((await taskIn(response)).status).toBe("completed");
  });

  it("fails when it cannot be decoded, and tells why", async () => {
    const task = await taskIn(await askWhisper(gateway, "", Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)])), 202);
    const ended = await untilStatus(gateway, task.status_endpoint ?? "", ["completed", "failed"]);
    expect(ended).toMatchObject({ status: "failed", error: { code: "AUDIO_CORRUPT" } });
    expect(ended).not.toHaveProperty("result");
  });

  it("is not heard in a language that no engine understands", async () => {
    const response = await askWhisper(gateway, "?wait=30", clip, { language: "sw" });
    const told = (await response.json()) as { code?: string; status?: unknown; error?: { code: string }; result?: unknown };
    expect(told.error?.code ?? told.code).toBe("MODEL_NOT_READY");
    expect(told.result).toBeUndefined();
  });
});

describe.skipIf(isMissing("pocketsphinx"))("a question about a call", () => {
  const ask = (body: unknown, role: "agent" | "supervisor" | "service" = "agent") => askModel(gateway, "/qa/answer?wait=30", body, role);
  const question = "What did he do?";

  it("is answered to an agent from the call's transcript, and written down", async () => {
    const { accepted, task } = await analysed(gateway, shortClip("child-violence-home", 20));
    const texts = new Map(analysisSchema.parse(task.result).transcript?.segments.map(({ id, text }) => [id, text]));
    const seq = await lastAuditSeq(gateway);
    const { result } = await taskIn<{
      answer: string | null;
      evidence: readonly { segment_id: string; text: string; start_offset: number; end_offset: number }[];
    }>(await ask({ question, call_id: accepted.call_id }));
    for (const { segment_id: id, text, start_offset: start, end_offset: end } of result?.evidence ?? []) expect(texts.get(id)?.slice(start, end)).toBe(text);
    expect(result).toHaveProperty("answer");
    const reads = (await auditLines(gateway, seq)).filter(({ target }) => target === accepted.call_id);
    expect(reads).toEqual([expect.objectContaining({ action: "transcript.read", role: "agent", outcome: "allowed" })]);
    await expectRefused(await ask({ question, call_id: accepted.call_id }, "service"), 403, "AUTH_PERMISSION_DENIED");
  });

  it("is refused for a call that is not there, for a call and a text at once, and for neither", async () => {
    const callId = "0190c0de-0000-7000-8000-0000000000ff";
    await expectRefused(await ask({ question, call_id: callId }), 404, "CALL_NOT_FOUND");
    await expectRefused(await ask({ question, call_id: callId, context: "She is at home." }), 400, "GATEWAY_BAD_REQUEST", "call_id");
    await expectRefused(await ask({ question }), 400, "GATEWAY_BAD_REQUEST", "context");
    await expectRefused(await ask({ question, call_id: callId }, "service"), 403, "AUTH_PERMISSION_DENIED");
  });

  it("is refused with 409 for a call without a transcript", async () => {
    const accepted = await uploaded(gateway, readFileSync(samplePath("swahili-mixed", "call-8k-alaw.wav")), { fields: { language: "sw" } });
    expect((await endOf(gateway, accepted.task_id)).result?.transcript ?? null).toBeNull();
    await expectRefused(await ask({ question, call_id: accepted.call_id }), 409, "CALL_NOT_TRANSCRIBED");
  });
});
