/** Speech by a server elsewhere: asked as OpenAI's API wants it, believed only as far as its answer fits the sound. */
import { afterEach, describe, expect, it } from "vitest";
import { parseWavHeader } from "../../src/audio/wav.js";
import { createRemoteRecognizer } from "../../src/inference/backends/remote/remote-recognizer.js";
import type { SpeechInput, SpeechOutput } from "../../src/inference/speech-recognizer.js";
import type { ScriptedAnswer } from "../support/scripted-server.js";
import { startTranscriptionServer, type TranscriptionServer } from "../support/transcription-server.js";

const RATE_HZ = 16_000;
const samples = Int16Array.from({ length: 3 * RATE_HZ }, (_, index) => Math.round(3_000 * Math.sin(index / 7)));
const audio = { samples, sampleRateHz: RATE_HZ, sourceSampleRateHz: 8_000, sampleCount: samples.length };
const input: SpeechInput = { audio, utterances: [{ startMs: 1_000, endMs: 2_500 }], language: "auto", allowedLanguages: ["sw", "en"] };
const said = (text: string, more = {}): ScriptedAnswer => ({ body: { task: "transcribe", language: "swahili", duration: 1.7, text, ...more } });

let server: TranscriptionServer | undefined;
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function ask(
  answers: readonly ScriptedAnswer[],
  options: { readonly input?: SpeechInput; readonly times?: number; readonly signal?: AbortSignal } = {},
): Promise<SpeechOutput> {
  server = await startTranscriptionServer(...answers);
  const engine = createRemoteRecognizer({ baseUrl: server.url, model: "large-v3", apiKey: "key", timeoutMs: 300 });
  const { signal = new AbortController().signal } = options;
  for (let time = 1; time < (options.times ?? 1); time++) await engine.run(options.input ?? input, { signal }).catch(() => {});
  return engine.run(options.input ?? input, { signal });
}

describe("speech by a server", () => {
  it("sends the utterance as WAV with the model, the key and no name of anything", async () => {
    await ask([said("mtoto analia")]);
    const [request] = server?.requests ?? [];
    expect(request).toMatchObject({ path: "/v1/audio/transcriptions", authorization: "Bearer key", fileName: "speech.wav" });
    expect(Object.fromEntries(request?.fields ?? [])).toMatchObject({ model: "large-v3", response_format: "verbose_json", temperature: "0" });
    expect(request?.fields.has("language")).toBe(false);
    const header = parseWavHeader(request?.file ?? new Uint8Array());
    expect(header).toMatchObject({ encoding: "pcm", channelCount: 1, sampleRateHz: RATE_HZ });
    // 1.5 s and a tenth of a second on either side.
    expect(request?.file.length).toBe(44 + 1.7 * RATE_HZ * 2);
  });

  it("gives text, language, score, and words at their times in the call", async () => {
    const words = [
      { word: "Mtoto", start: 0.2, end: 0.6 },
      { word: " analia", start: 0.7, end: 1.2 },
    ];
    const { utterances, language } = await ask([said(" Mtoto analia. ", { words, segments: [{ avg_logprob: Math.log(0.5) }] })]);
    expect(language).toBe("sw");
    expect(utterances).toEqual([
      {
        ...{ startMs: 1_000, endMs: 2_500, text: "Mtoto analia.", language: "sw", score: 0.5 },
        words: [
          { text: "Mtoto", startMs: 1_100, endMs: 1_500, score: null },
          { text: "analia", startMs: 1_600, endMs: 2_100, score: null },
        ],
      },
    ]);
  });

  it("asks for the language that was given, and believes no other", async () => {
    const { utterances } = await ask([said("habari", { language: "en" })], { input: { ...input, language: "sw" } });
    expect(server?.requests[0]?.fields.get("language")).toBe("sw");
    expect(utterances[0]?.language).toBe("sw");
  });

  it("does not take a language that is not allowed", async () => {
    expect((await ask([said("bonjour", { language: "french" })])).utterances[0]?.language).toBe("und");
  });

  it("leaves out words that are not in the text, or not in time", async () => {
    const invented = [{ word: "hello", start: 0, end: 1 }];
    expect((await ask([said("mtoto analia", { words: invented })])).utterances[0]?.words).toEqual([]);
    await server?.[Symbol.asyncDispose]();
    const late = [{ word: "mtoto", start: -50, end: 900 }];
    expect((await ask([said("mtoto analia", { words: late })])).utterances[0]?.words).toEqual([{ text: "mtoto", startMs: 1_000, endMs: 2_500, score: null }]);
  });

  it("gives nothing for nothing", async () => {
    expect((await ask([said("  \n ")])).utterances).toEqual([]);
  });

  it.each([
    ["broken JSON", { body: '{"text": "mtoto' }],
    ["another form", { body: { choices: [] } }],
    ["a text that nobody says in a second and a half", said("ndiyo ".repeat(200))],
    ["an endless answer", { body: JSON.stringify({ text: "x".repeat(5_000_000) }) }],
    ["a refusal", { status: 400, body: { error: "no such model" } }],
  ] as const)("uses nothing of %s", async (_, answer) => {
    await expect(ask([answer])).rejects.toMatchObject({ code: "MODEL_REMOTE_INVALID" });
    expect(server?.requests).toHaveLength(1);
  });

  it("tries again after a 503, as soon as the server says", async () => {
    const { utterances } = await ask([{ status: 503, headers: { "retry-after": "1" }, body: {} }, said("mtoto")]);
    expect(utterances[0]?.text).toBe("mtoto");
    expect(server?.requests).toHaveLength(2);
  });

  it("gives up after three attempts, also when nothing ever comes", async () => {
    await expect(ask([{ body: undefined }])).rejects.toMatchObject({ code: "MODEL_REMOTE_UNAVAILABLE", retryable: true });
    expect(server?.requests).toHaveLength(3);
  });

  it("leaves a server alone that failed three times in a row", async () => {
    await expect(ask([{ status: 500, body: {} }], { times: 4 })).rejects.toMatchObject({
      code: "MODEL_REMOTE_UNAVAILABLE",
      message: expect.stringContaining("left alone"),
    });
    expect(server?.requests).toHaveLength(9);
  });

  it("stops with the request", async () => {
    await expect(ask([{ body: undefined }], { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});
