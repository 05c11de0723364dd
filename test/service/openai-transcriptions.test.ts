/** `/v1/audio/transcriptions`, as clients made for OpenAI's API use it: every response format, errors, lost connections. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeForm } from "../support/http-client.js";
import { audioFiles } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { type Cue, readSrt, readVtt } from "../support/subtitle-cues.js";
import { until } from "../support/until.js";

const PATH = "/v1/audio/transcriptions";
const SECONDS = 12;
const clip = shortClip("child-violence-home", SECONDS);

interface Verbose {
  readonly task: string;
  readonly language: string;
  readonly duration: number;
  readonly text: string;
  readonly segments: readonly { readonly id: number; readonly start: number; readonly end: number; readonly text: string }[];
}

const wordsOf = (text: string): string => text.split(/\s+/).filter(Boolean).sort().join(" ");

function formOf(
  fields: Readonly<Record<string, string>>,
  { audio = clip, isFileFirst = false }: { audio?: Buffer | null; isFileFirst?: boolean } = {},
): FormData {
  const form = new FormData();
  const addFile = (): void => {
    if (audio !== null) form.append("file", new Blob([new Uint8Array(audio)], { type: "audio/wav" }), "speech.wav");
  };
  if (isFileFirst) addFile();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  if (!isFileFirst) addFile();
  return form;
}

describe.skipIf(isMissing("pocketsphinx"))("transcriptions in the shape of OpenAI's API", () => {
  let gateway: TestGateway;
  let spoken: string;

  const post = (form: FormData, role: "agent" | "service" | null = "agent") => gateway.request(role, PATH, { method: "POST", body: form });
  const transcribe = async (fields: Readonly<Record<string, string>>, options: Parameters<typeof formOf>[1] = {}) => {
    const response = await post(formOf({ model: "whisper-1", language: "en", ...fields }, options));
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return { text, type: response.headers.get("content-type") ?? "" };
  };

  beforeAll(async () => {
    gateway = await startGateway();
    const { text } = await transcribe({});
    ({ text: spoken } = JSON.parse(text) as { text: string });
  });
  afterAll(() => gateway.stop());

  const expectCues = (cues: readonly Cue[]): void => {
    expect(cues.length).toBeGreaterThan(0);
    for (const [index, { startMs, endMs, text }] of cues.entries()) {
      expect(startMs).toBeLessThan(endMs);
      expect(endMs).toBeLessThanOrEqual(SECONDS * 1_000);
      expect(startMs).toBeGreaterThanOrEqual(cues[index - 1]?.startMs ?? 0);
      expect(text.trim()).not.toBe("");
    }
    expect(wordsOf(cues.map(({ text }) => text).join(" "))).toBe(wordsOf(spoken));
  };

  it("are an object with the text and nothing else, also when no format is named", async () => {
    for (const fields of [{}, { response_format: "json" }]) {
      const { text, type } = await transcribe(fields);
      expect(type).toContain("application/json");
      expect(Object.keys(JSON.parse(text) as object)).toEqual(["text"]);
      expect(JSON.parse(text)).toEqual({ text: spoken });
    }
    expect(spoken).toMatch(/\w+ \w+ \w+/);
  });

  it("are the bare text when asked for as text", async () => {
    const { text, type } = await transcribe({ response_format: "text" });
    expect(type).toContain("text/plain");
    expect(text.trim()).toBe(spoken.trim());
  });

  it("are numbered cues with times when asked for as srt", async () => {
    const { text, type } = await transcribe({ response_format: "srt" });
    expect(type).not.toContain("json");
    expectCues(readSrt(text));
  });

  it("are cues under a head when asked for as vtt", async () => {
    const { text, type } = await transcribe({ response_format: "vtt" });
    expect(type).not.toContain("json");
    expectCues(readVtt(text));
  });

  it("tell language, duration and segments when asked for as verbose_json", async () => {
    const { text } = await transcribe({ response_format: "verbose_json" });
    const verbose = JSON.parse(text) as Verbose;
    expect(verbose).toMatchObject({ task: "transcribe", text: spoken });
    expect(verbose.language.toLowerCase()).toMatch(/^(en|english)$/);
    expect(verbose.duration).toBeCloseTo(SECONDS, 3);
    expect(verbose.segments.map(({ id }) => id)).toEqual(verbose.segments.map((_, index) => index));
    expectCues(verbose.segments.map((segment) => ({ startMs: segment.start * 1_000, endMs: segment.end * 1_000, text: segment.text })));
  });

  it.each(["whisper-1", "gpt-4o-transcribe", "pocketsphinx", "no such model", ""])("take the model name %j", async (model) => {
    expect(JSON.parse((await transcribe({ model })).text)).toEqual({ text: spoken });
  });

  it("do not depend on whether the file or the fields come first", async () => {
    const { text } = await transcribe({ response_format: "text" }, { isFileFirst: true });
    expect(text.trim()).toBe(spoken.trim());
  });

  it("take what clients send along and nobody needs", async () => {
    const fields = { temperature: "0", prompt: "Helpline", "timestamp_granularities[]": "segment", stream: "false" };
    expect(JSON.parse((await transcribe(fields)).text)).toEqual({ text: spoken });
  });

  it.each<[string, FormData, number, string]>([
    ["a letter for a file", formOf({ model: "whisper-1" }, { audio: Buffer.from("Dear helpline, this is no recording.") }), 415, "AUDIO_UNSUPPORTED_FORMAT"],
    ["an empty file", formOf({ model: "whisper-1" }, { audio: Buffer.alloc(0) }), 422, "AUDIO_EMPTY"],
    ["noise behind a magic number", formOf({}, { audio: Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)]) }), 422, "AUDIO_CORRUPT"],
    ["no file", formOf({ model: "whisper-1" }, { audio: null }), 400, "GATEWAY_BAD_REQUEST"],
    ["no field at all", new FormData(), 400, "GATEWAY_BAD_REQUEST"],
    ["a wrong language", formOf({ language: "Swahili, please" }), 400, "GATEWAY_BAD_REQUEST"],
    ["a format there is none of", formOf({ language: "en", response_format: "docx" }), 400, "GATEWAY_BAD_REQUEST"],
    ["a language no engine understands", formOf({ language: "sw" }), 503, "MODEL_NOT_READY"],
  ])("answer %s with an error in that API's shape", async (_what, form, status, code) => {
    const response = await post(form);
    const body = (await response.json()) as { error: Record<string, unknown> };
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("json");
    expect(Object.keys(body)).toEqual(["error"]);
    expect(Object.keys(body.error).sort()).toEqual(["code", "message", "param", "type"]);
    expect(body.error).toMatchObject({ code, param: null });
    expect(String(body.error["message"]).length).toBeGreaterThan(5);
    expect(String(body.error["type"]).length).toBeGreaterThan(3);
  });

  it("answer no credentials, wrong ones and another body in that shape too", async () => {
    const wrong = { authorization: `Bearer sk-${"a".repeat(48)}` };
    const answers: readonly (readonly [Response, number])[] = [
      [await post(formOf({}), null), 401],
      [await gateway.request(null, PATH, { method: "POST", headers: wrong, body: formOf({}) }), 401],
      [await gateway.request("agent", PATH, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }), 415],
    ];
    for (const [response, status] of answers) {
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ error: { param: null, code: expect.any(String), message: expect.any(String), type: expect.any(String) } });
    }
  });

  it("leave no sound behind, whether they succeeded or were refused", async () => {
    const before = audioFiles(gateway).length;
    await transcribe({});
    await post(formOf({}, { audio: Buffer.from("no recording") }));
    await post(formOf({ language: "Swahili, please" }));
    await post(formOf({ language: "en", response_format: "docx" }));
    await until("every sound is gone", () => audioFiles(gateway).length === before, 5_000, 25);
  });

  const openUpload = async (body: Buffer, headers: Readonly<Record<string, string>>) => {
    const socket = connect(Number(new URL(gateway.service.url).port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.on("error", () => {}).resume();
    const lines = Object.entries({ host: "x", authorization: `Bearer ${gateway.keys.agent}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST ${PATH} HTTP/1.1\r\n${lines.join("")}\r\n`);
    socket.write(body);
    return socket;
  };

  it("leave no sound behind when the client goes away in the middle of its upload, and the next one is served", async () => {
    const { body, headers } = await encodeForm(formOf({ language: "en" }, { isFileFirst: true }));
    const before = audioFiles(gateway).length;
    const socket = await openUpload(body.subarray(0, body.length / 2), headers);
    await until("the upload has begun", () => audioFiles(gateway).length > before, 5_000, 5);
    socket.destroy();
    await until("its sound is gone", () => audioFiles(gateway).length === before, 10_000, 25);
    expect(JSON.parse((await transcribe({})).text)).toEqual({ text: spoken });
  });

  it("leave no sound behind when the client goes away while it is heard", async () => {
    const whole = readFileSync(samplePath("child-violence-home", "call-8k-alaw.wav"));
    const { body, headers } = await encodeForm(formOf({ language: "en" }, { audio: whole }));
    const before = audioFiles(gateway).length;
    const socket = await openUpload(body, headers);
    const isHeard = async (): Promise<boolean> => (await (await gateway.request("admin", "/audio/queue/status")).text()).includes('"processing":1');
    await until("it is heard", isHeard, 20_000, 10);
    socket.destroy();
    await until("its sound is gone", () => audioFiles(gateway).length === before, 30_000, 50);
    expect((await gateway.request(null, "/health/ready")).status).toBe(200);
  });
});
