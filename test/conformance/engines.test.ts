/** The engine contract over every engine there is: builtin, Silero, energy, PocketSphinx, Whisper, token classification, scripted. */

import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { decodeWithFfmpeg } from "../../src/audio/ffmpeg.js";
import type { ModelTask } from "../../src/core/model-task.js";
import { createBuiltinEngines } from "../../src/inference/backends/builtin/create-builtin-engines.js";
import { createEnergyVoiceActivityDetector } from "../../src/inference/backends/energy/energy-voice-activity-detector.js";
import { createPocketsphinxRecognizer } from "../../src/inference/backends/pocketsphinx/pocketsphinx-recognizer.js";
import { createModelTranslator } from "../../src/inference/backends/seq2seq/model-translator.js";
import { createSileroVoiceActivityDetector } from "../../src/inference/backends/silero/silero-voice-activity-detector.js";
import { createTokenClassifier } from "../../src/inference/backends/token-classification/token-classifier.js";
import { createWhisperRecognizer } from "../../src/inference/backends/whisper/whisper-recognizer.js";
import type { ModelEngine, TaskInputs } from "../../src/inference/model-engine.js";
import type { PcmSource } from "../../src/inference/speech-recognizer.js";
import { createScriptedEngine } from "../../src/inference/testing/scripted-engine.js";
import { CALL_SEGMENTS, writeBuzz } from "../support/call-material.js";
import { LABEL_FIXTURES, modelFixture, TRANSLATION_FIXTURES, WHISPER_FIXTURES } from "../support/model-fixtures.js";
import { isMissing } from "../support/requirements.js";
import { readScript, samplePath } from "../support/sample-audio.js";
import { ROOT } from "../support/source-tree.js";
import { describeEngineContract } from "./engine-contract.js";

const buzz = writeBuzz();
const directory = dirname(buzz.path);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const segments = CALL_SEGMENTS;
const textInputs: { readonly [Task in ModelTask]?: TaskInputs[Task] } = {
  language: { segments: segments.map((segment) => ({ ...segment, language: "und" })) },
  entities: { segments },
  classification: { segments },
  risk: { segments },
  summary: { segments },
  quality: { segments },
  question_answering: { segments, question: "How old is the caller?" },
};

for (const engine of createBuiltinEngines({ assetsDirectory: join(ROOT, "data") }) as readonly ModelEngine[]) {
  const { modelTask } = engine.description;
  describeEngineContract({
    name: `builtin ${modelTask}`,
    create: async () => engine,
    input: async () => textInputs[modelTask] as TaskInputs[ModelTask],
    segments,
  });
}
const createSilero = () => createSileroVoiceActivityDetector({ modelPath: join(ROOT, "models/vad/silero_vad_v5.onnx") });
const speechInput = async () => ({ audio: buzz, utterances: [{ startMs: 500, endMs: 1_500 }], language: "en", allowedLanguages: ["en"] });
describeEngineContract({ name: "silero voice activity", create: createSilero, input: async () => ({ audio: buzz }) });
describeEngineContract({ name: "energy voice activity", create: async () => createEnergyVoiceActivityDetector(), input: async () => ({ audio: buzz }) });
if (!isMissing("pocketsphinx"))
  describeEngineContract({ name: "pocketsphinx speech", create: async () => createPocketsphinxRecognizer({ workDirectory: tmpdir() }), input: speechInput });
for (const name of WHISPER_FIXTURES) {
  const directory = modelFixture(name);
  describeEngineContract({
    name,
    create: () => createWhisperRecognizer({ id: name, directory, revision: name, suffix: "", threads: 1, windowMargin: 128 }),
    input: async () => ({ ...(await speechInput()), language: "auto", allowedLanguages: ["sw", "en"] }),
  });
}
for (const name of TRANSLATION_FIXTURES) {
  const directory = modelFixture(name);
  const swahili = segments.map((segment) => ({ ...segment, language: "sw" }));
  describeEngineContract({
    name,
    create: () => createModelTranslator({ id: name, directory, revision: name, suffix: "", threads: 1 }),
    input: async () => ({ segments: swahili, targetLanguage: "en" }),
    segments: swahili,
  });
}
for (const name of LABEL_FIXTURES) {
  const directory = modelFixture(name);
  describeEngineContract({
    name,
    create: () => createTokenClassifier({ id: name, directory, revision: name, suffix: "", threads: 1, languages: ["*"] }),
    input: async () => ({ segments }),
    segments,
  });
}
describeEngineContract({
  name: "scripted risk",
  create: async () => createScriptedEngine({ modelTask: "risk", answer: () => ({ risks: [] }) }),
  input: async () => ({ segments }),
  segments,
});

/** The left channel of a sample as the decoder would hand it over. */
async function callerOf(id: string): Promise<PcmSource> {
  const interleaved = join(directory, `${id}.s16`);
  const source = { path: samplePath(id, "call-16k.flac"), container: "flac" as const, signal: new AbortController().signal, timeoutMs: 60_000 };
  await decodeWithFfmpeg(source, { path: interleaved, sampleRateHz: 16_000, channelCount: 1, maxDurationMs: 600_000 });
  const { readFileSync } = await import("node:fs");
  const bytes = readFileSync(interleaved);
  const stereo = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const left = stereo.filter((_, index) => index % 2 === 0);
  const path = join(directory, `${id}-left.s16`);
  writeFileSync(path, new Uint8Array(left.buffer, left.byteOffset, left.byteLength));
  return { path, sampleRateHz: 16_000, sampleCount: left.length, sourceSampleRateHz: 16_000 };
}

describe.skipIf(isMissing("ffmpeg"))("voice activity on a sample call", () => {
  it.each([
    ["silero", createSilero],
    ["energy", async () => createEnergyVoiceActivityDetector()],
  ] as const)("%s hears the caller's turns and not the silence between", async (_name, create) => {
    const engine = await create();
    const { frameMs, speechScores } = await engine.run({ audio: await callerOf("neighbour-neglect") }, { signal: new AbortController().signal });
    const turns = readScript("neighbour-neglect").segments.filter(({ channel }) => channel === "caller");
    const isSpeech = (ms: number): boolean => (speechScores[Math.floor(ms / frameMs)] ?? 0) >= 0.5;
    const inTurns = turns.flatMap(({ start_ms, end_ms }) => sampled(start_ms + 200, end_ms - 200));
    const outside = sampled(0, 42_000).filter((ms) => turns.every(({ start_ms, end_ms }) => ms < start_ms - 300 || ms > end_ms + 500));
    expect(inTurns.filter(isSpeech).length / inTurns.length).toBeGreaterThan(0.75);
    expect(outside.filter(isSpeech).length / outside.length).toBeLessThan(0.02);
    await engine.close?.();
  });
});

describe.skipIf(isMissing("pocketsphinx", "ffmpeg"))("pocketsphinx and languages", () => {
  const recognizer = createPocketsphinxRecognizer({ workDirectory: tmpdir() });
  const signal = new AbortController().signal;
  const utterances = (id: string) =>
    readScript(id)
      .segments.filter(({ channel }) => channel === "caller")
      .map(({ start_ms, end_ms }) => ({ startMs: start_ms, endMs: end_ms }));

  it("never runs on a language it cannot do", async () => {
    await expect(recognizer.run({ ...(await speechInput()), language: "sw" }, { signal })).rejects.toMatchObject({ code: "MODEL_NOT_READY" });
    await expect(recognizer.run({ ...(await speechInput()), language: "auto", allowedLanguages: ["sw", "lg"] }, { signal })).rejects.toMatchObject({
      code: "MODEL_NOT_READY",
    });
  });

  it("tells English from Swahili when the language is not given", async () => {
    const request = async (id: string) => ({ audio: await callerOf(id), utterances: utterances(id), language: "auto", allowedLanguages: ["sw", "en"] });
    const english = await recognizer.run(await request("custody-maintenance"), { signal });
    expect(english.utterances.length).toBeGreaterThan(3);
    expect(english.lowQuality).toBe(true);
    await expect(recognizer.run(await request("swahili-mixed"), { signal })).rejects.toMatchObject({ code: "MODEL_NOT_READY" });
  });
});

function sampled(fromMs: number, toMs: number): number[] {
  return Array.from({ length: Math.max(0, Math.floor((toMs - fromMs) / 50)) }, (_, index) => fromMs + index * 50);
}
