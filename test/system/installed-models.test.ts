/** A helpline installs models and uses them, by the command line alone. */
import { cp, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatAnswer, startChatServer } from "../support/chat-server.js";
import { modelFixture } from "../support/model-fixtures.js";
import { runCli } from "../support/run-cli.js";
import { samplePath } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { startTranscriptionServer } from "../support/transcription-server.js";

interface PrintedAnalysis {
  readonly transcript: {
    readonly segments: readonly { readonly text: string; readonly language: string; readonly words: readonly unknown[]; readonly id: string }[];
  } | null;
  readonly translation: { readonly segments: readonly { readonly segment_id: string }[] } | null;
  readonly entities: readonly { readonly mentions: readonly { readonly segment_id: string }[] }[] | null;
  readonly models: readonly { readonly task: string; readonly engine: string; readonly revision: string }[];
  readonly stages: readonly { readonly stage: string; readonly status: string; readonly error?: { readonly code: string } }[];
}

describe("installed models", () => {
  let data: TemporaryDirectory;
  const models = (...words: readonly string[]) => runCli(["models", ...words, "--data-dir", data.path]);
  const processSample = async (): Promise<{ exitCode: number | null; analysis: PrintedAnalysis }> => {
    const command = ["process", samplePath("school-bullying", "call-8k-alaw.wav"), "--engine", "whisper", "--language", "sw", "--json"];
    const { exitCode, stdout } = await runCli(command, { env: { DATA_DIR: data.path } });
    return { exitCode, analysis: JSON.parse(stdout) as PrintedAnalysis };
  };
  beforeAll(async () => {
    data = await makeTemporaryDirectory();
  });
  afterAll(() => data.remove());

  it("are imported, listed and verified", async () => {
    expect((await models("list")).stdout).toBe("");
    for (const name of ["whisper-merged", "labels-wordpiece", "translation-m2m100"]) expect((await models("import", modelFixture(name))).exitCode).toBe(0);
    const { stdout } = await models("list");
    expect(stdout).toMatch(/^whisper-merged +speech +whisper +fp32 +1\.3 MB$/mu);
    expect(stdout).toMatch(/^labels-wordpiece +entities +token-classification +fp32/mu);
    expect(await models("verify")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("whisper-merged: ok") });
  });

  it("hear and read a real call, and are named in its analysis with their revisions", async () => {
    const { exitCode, analysis } = await processSample();
    expect(exitCode).toBe(0);
    expect(analysis.transcript?.segments.length).toBeGreaterThan(5);
    expect(analysis.translation?.segments.map(({ segment_id }) => segment_id)).toEqual(analysis.transcript?.segments.map(({ id }) => id));
    for (const { language, words } of analysis.transcript?.segments ?? []) {
      expect(language).toBe("sw");
      expect(words.length).toBeGreaterThan(0);
    }
    const speech = analysis.models.find(({ task }) => task === "speech");
    expect(speech).toMatchObject({ engine: "whisper:whisper-merged", revision: expect.stringMatching(/^whisper-merged-[0-9a-f]{12}$/u) });
    expect(analysis.models.find(({ task }) => task === "entities")?.engine).toBe("token-classification:labels-wordpiece");
  });

  it("come after a server that hears calls, and do its work when it is away", async () => {
    const server = await startTranscriptionServer({ body: { text: "mtoto analia", language: "sw" } });
    const command = ["process", samplePath("school-bullying", "call-8k-alaw.wav"), "--language", "sw", "--json"];
    const env = { DATA_DIR: data.path, REMOTE_SPEECH_URL: server.url };
    const speechEngine = async (): Promise<string | undefined> => {
      const { models: used } = JSON.parse((await runCli(command, { env })).stdout) as PrintedAnalysis;
      return used.find(({ task }) => task === "speech")?.engine;
    };
    expect(await speechEngine()).toBe("remote");
    await server[Symbol.asyncDispose]();
    expect(await speechEngine()).toBe("whisper:whisper-merged");
  });

  it("come after a server that reads calls, which is believed as far as the call bears it out", async () => {
    const command = ["process", samplePath("school-bullying", "call-8k-alaw.wav"), "--language", "en", "--json"];
    const made = { sentences: [{ text: "A child was stabbed in Mombasa.", quotes: [{ segment_id: "s1", quote: "stabbed in Mombasa" }] }] };
    const server = await startChatServer(chatAnswer(made));
    const env = { DATA_DIR: data.path, REMOTE_CHAT_URL: server.url, REMOTE_CHAT_TASKS: "summary" };
    const { stdout } = await runCli(command, { env });
    expect(server.requests).toHaveLength(1);
    await server[Symbol.asyncDispose]();
    expect((JSON.parse(stdout) as PrintedAnalysis).models.find(({ task }) => task === "summary")?.engine).toBe("builtin");
    expect(stdout).not.toContain("stabbed");
  });

  it("that can't be run here are not installed", async () => {
    const broken = join(data.path, "broken");
    await cp(modelFixture("translation-marian"), broken, { recursive: true });
    await truncate(join(broken, "onnx/decoder_model_merged.onnx"), 10_000);
    expect(await models("import", broken)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("decoder_model_merged.onnx is missing or broken") });
    expect((await models("list")).stdout).not.toContain("broken");
  });

  it("that are broken fail their stage with one clear line, and doctor and verify name them", async () => {
    await truncate(join(data.path, "models/whisper-merged/onnx/encoder_model.onnx"), 4_096);
    const { exitCode, analysis } = await processSample();
    expect(exitCode).toBe(4);
    expect(analysis.stages.find(({ stage }) => stage === "transcript")).toMatchObject({ status: "failed", error: { code: "MODEL_FILES_INVALID" } });
    expect(await models("verify")).toMatchObject({ exitCode: 4, stdout: expect.stringContaining("onnx/encoder_model.onnx changed") });
    const doctor = await runCli(["doctor"], { env: { DATA_DIR: data.path } });
    expect(doctor.stdout).toMatch(/^PROBLEM +model: whisper-merged/mu);
  });

  it("go when they are removed", async () => {
    expect((await models("remove", "whisper-merged")).exitCode).toBe(0);
    expect((await models("remove", "whisper-merged")).exitCode).toBe(2);
    const command = ["process", samplePath("school-bullying", "call-8k-alaw.wav"), "--engine", "whisper"];
    expect(await runCli(command, { env: { DATA_DIR: data.path } })).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("MODEL_ENGINE_UNKNOWN") });
  });
});
