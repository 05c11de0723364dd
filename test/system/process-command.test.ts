/** `process` as an operator uses it: exit codes, one line for each failure, nothing left behind. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMissing } from "../support/requirements.js";
import { runCli } from "../support/run-cli.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

interface WireResult {
  readonly transcript: { readonly text: string } | null;
  readonly stages: readonly { readonly stage: string; readonly status: string; readonly error?: { readonly code: string } }[];
}

describe.skipIf(isMissing("pocketsphinx", "ffmpeg"))("openchs-ai process", () => {
  let directory: TemporaryDirectory;
  let clipPath: string;

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    clipPath = join(directory.path, "clip.wav");
    writeFileSync(clipPath, shortClip("child-violence-home", 8));
  });
  afterAll(() => directory.remove());

  const fileOf = (name: string, content: string | Buffer): string => {
    const path = join(directory.path, name);
    writeFileSync(path, content);
    return path;
  };

  it("prints one JSON analysis on stdout and nothing else", async () => {
    const { exitCode, stdout, stderr } = await runCli(["process", clipPath, "--json", "--language", "en"]);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const result = JSON.parse(stdout) as WireResult;
    expect(result.stages.map(({ stage }) => stage)).toEqual(
      expect.arrayContaining(["decode", "voice_activity", "transcript", "entities", "classification", "risk", "summary", "answers", "quality"]),
    );
    expect(result.transcript?.text).toMatch(/\w/);
  });

  it("refuses a recognizer for a language it cannot do, and invents nothing", async () => {
    const { exitCode, stdout } = await runCli(["process", samplePath("swahili-mixed", "call-16k.flac"), "--json"]);
    const result = JSON.parse(stdout) as WireResult;
    expect(exitCode).toBe(4);
    expect(result.transcript).toBeNull();
    expect(result.stages.find(({ stage }) => stage === "transcript")?.error?.code).toBe("MODEL_NOT_READY");
  });

  it("gives the same result for the same recording", async () => {
    const [first, second] = await Promise.all([1, 2].map(() => runCli(["process", clipPath, "--json", "--language", "en"])));
    const strip = (text: string | undefined): unknown => {
      const { call_id: _call, task_id: _task, stages: _stages, ...rest } = JSON.parse(text ?? "{}") as Record<string, unknown>;
      return rest;
    };
    expect(strip(first?.stdout)).toEqual(strip(second?.stdout));
  });

  it.each([
    ["an empty file", "empty.wav", "", "AUDIO_EMPTY"],
    ["one byte", "one.wav", "R", "AUDIO_UNSUPPORTED_FORMAT"],
    ["a text renamed", "text.mp3", "Dear helpline, this is a letter.", "AUDIO_UNSUPPORTED_FORMAT"],
    ["a playlist", "list.m3u8", "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "AUDIO_UNSUPPORTED_FORMAT"],
    ["a concat script", "concat.wav", "ffconcat version 1.0\nfile /etc/passwd\n", "AUDIO_UNSUPPORTED_FORMAT"],
    ["a WAV header with nothing behind it", "header.wav", shortClip("child-labour", 1).subarray(0, 46), "AUDIO_EMPTY"],
    ["noise behind a FLAC magic", "noise.flac", Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)]), "AUDIO_CORRUPT"],
  ])("ends with 2 and one line for %s", async (_what, name, content, code) => {
    const { exitCode, stdout, stderr } = await runCli(["process", fileOf(name, content), "--json"]);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toContain(code);
    expect(exitCode).toBe(2);
  });

  it("ends with 2 for a path that is not there and for a wrong language", async () => {
    const missing = await runCli(["process", join(directory.path, "nowhere.wav")]);
    const language = await runCli(["process", clipPath, "--language", "Swahili, please"]);
    expect([missing.exitCode, language.exitCode]).toEqual([2, 2]);
    expect([missing.stderr, language.stderr].map((text) => text.trim().split("\n").length)).toEqual([1, 1]);
  });

  it("ends with 3 for an engine that is not installed", async () => {
    const { exitCode, stderr } = await runCli(["process", clipPath, "--engine", "ear-trumpet"]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("MODEL_ENGINE_UNKNOWN");
  });

  it("analyses the good files of a batch and says which were bad", async () => {
    const bad = fileOf("bad.wav", "not audio");
    const { exitCode, stdout, stderr } = await runCli(["process", bad, clipPath, bad, "--json", "--language", "en"]);
    expect(exitCode).toBe(4);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(stderr.trim().split("\n")).toHaveLength(2);
  });

  it("writes a file of its own for every recording, of whatever name", async () => {
    const folders = ["a", "b"].map((name) => join(directory.path, name));
    for (const folder of folders) {
      mkdirSync(folder);
      writeFileSync(join(folder, "call.wav"), shortClip("silent-prank", 2));
    }
    const out = join(directory.path, "out");
    const { exitCode } = await runCli(["process", ...folders.map((folder) => join(folder, "call.wav")), "--language", "en", "--out", out]);
    expect(exitCode).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["call.wav-2.analysis.json", "call.wav.analysis.json"]);
  });

  it("copes with names full of shell characters", async () => {
    const path = fileOf("$(touch x); `id` & 'q' \"d\".wav", shortClip("silent-prank", 4));
    const { exitCode, stdout } = await runCli(["process", path, "--json", "--language", "en"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty("audio");
    expect(readdirSync(".")).not.toContain("x");
  });

  it("decodes with the fallback decoder when told to leave ffmpeg alone", async () => {
    const options = { env: { AUDIO_DECODER: "fallback" } };
    const [flac, wav] = await Promise.all([
      runCli(["process", samplePath("silent-prank", "call-16k.flac"), "--json", "--language", "en"], options),
      runCli(["process", clipPath, "--json", "--language", "en"], options),
    ]);
    expect([flac.exitCode, wav.exitCode]).toEqual([0, 0]);
  });

  it("leaves no temporary directory behind", async () => {
    // Its own: other runs of the command may be under way in the shared one.
    const temporary = join(directory.path, "temporary");
    mkdirSync(temporary);
    const { exitCode } = await runCli(["process", clipPath, "--json", "--language", "en"], { env: { TMPDIR: temporary } });
    expect(exitCode).toBe(0);
    expect(readdirSync(temporary)).toEqual([]);
  });
});
