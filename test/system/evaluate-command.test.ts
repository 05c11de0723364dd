/** `openchs-ai evaluate` as an operator runs it: on a file of labels, by the engines that come with the package. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMissing } from "../support/requirements.js";
import { runCli } from "../support/run-cli.js";
import { shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

interface Sheet {
  readonly engine: string;
  readonly records: number;
  readonly measures: readonly { readonly name: string; readonly value?: number; readonly low?: number; readonly high?: number; readonly cases: number }[];
  readonly worst: readonly { readonly id: string; readonly faults: readonly string[] }[];
}

const CALLS = [
  {
    id: "one",
    language: "en",
    turns: [{ speaker: "caller", text: "My name is [Otieno|NAME:name] and [my neighbour|PERPETRATOR] beats me." }],
    risks: [{ kind: "physical_violence", level: "high" }],
  },
  { id: "two", language: "sw", turns: [{ speaker: "caller", text: "Nina miaka [kumi na mbili|AGE], niko [Kisumu|LOCATION]." }], risks: [] },
];

describe("openchs-ai evaluate", () => {
  let directory: TemporaryDirectory;
  const write = (name: string, lines: readonly (object | string)[]): string => {
    const path = join(directory.path, name);
    writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
    return path;
  };
  const sheetOf = async (...commandLine: readonly string[]): Promise<Sheet> => {
    const { exitCode, stdout, stderr } = await runCli(["evaluate", ...commandLine, "--json"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as Sheet;
  };
  const measured = ({ measures }: Sheet, name: string): number | undefined => measures.find((measure) => measure.name === name)?.value;

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterAll(() => directory.remove());

  it("measures entities and risk, each with an interval", async () => {
    const path = write("calls.jsonl", CALLS);
    const entities = await sheetOf("entities", path);
    expect([entities.engine, entities.records, measured(entities, "AGE distinct F1"), measured(entities, "NAME strict F1")]).toEqual(["builtin", 2, 1, 1]);
    expect(
      entities.measures.every(({ value, low, high }) => value === undefined || (low !== undefined && high !== undefined && low <= value && value <= high)),
    ).toBe(true);
    const risk = await sheetOf("risk", path);
    expect([measured(risk, "recall of high"), measured(risk, "false high alerts in safe records")]).toEqual([1, 0]);
  });

  it("takes several files for one, and prints a table for people", async () => {
    const [one, two] = CALLS.map((call, index) => write(`call-${index}.jsonl`, [call])) as [string, string];
    const { exitCode, stdout } = await runCli(["evaluate", "entities", one, two, "--bare"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^entities: builtin \S+, 2 records\n/);
    expect(stdout).toMatch(/AGE distinct F1 +1\.000 +1\.000 \.\. +1\.000 +1\n/);
  });

  it("damages a copy as asked: with most words misheard little is found", async () => {
    const text = Array.from({ length: 20 }, (_, index) => `my name is [otieno|NAME] and i am [${index + 10}|AGE] years old`).join(" and then ");
    const path = write("long.jsonl", [{ text }]);
    const [clear, damaged] = [await sheetOf("entities", path), await sheetOf("entities", path, "--word-errors", "80")];
    expect(measured(clear, "AGE distinct recall")).toBeGreaterThan(0.9);
    expect(measured(damaged, "AGE distinct recall")).toBeLessThan(0.5);
  });

  it.each([
    ["a task that is not there", ["evaluate", "horoscope", "CALLS"], 2, "The task must be one of"],
    ["a file that is not there", ["evaluate", "risk", "/nowhere/calls.jsonl"], 2, "ENOENT|not there|no such"],
    ["an engine that is not there", ["evaluate", "risk", "CALLS", "--engine", "oracle"], 3, "MODEL_ENGINE_UNKNOWN"],
    ["more wrong words than words", ["evaluate", "risk", "CALLS", "--word-errors", "120"], 2, "--word-errors"],
    ["labels of another kind", ["evaluate", "summary", "CALLS"], 2, "summary"],
  ])("refuses %s in one line", async (_, commandLine, exit, reason) => {
    const path = write("calls.jsonl", CALLS);
    const { exitCode, stdout, stderr } = await runCli(commandLine.map((word) => (word === "CALLS" ? path : word)));
    expect([exitCode, stdout, stderr.trim().split("\n").length]).toEqual([exit, "", 1]);
    expect(stderr).toMatch(new RegExp(reason));
  });

  it("names the faulty line and keeps its words to itself", async () => {
    const { exitCode, stderr } = await runCli(["evaluate", "risk", write("faulty.jsonl", [CALLS[0] as object, '{"text": "Wanjiru was here'])]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Line 2 of the labelled data is not JSON")]);
    expect(stderr).not.toContain("Wanjiru");
  });

  it.skipIf(isMissing("pocketsphinx", "ffmpeg"))("measures recognized words against what was said", async () => {
    writeFileSync(join(directory.path, "clip.wav"), shortClip("child-violence-home", 8));
    const script = JSON.parse(readFileSync("samples/child-violence-home/script.json", "utf8")) as { readonly turns: readonly { readonly text: string }[] };
    const sheet = await sheetOf(
      "asr",
      write("speech.jsonl", [{ id: "clip", audio: "clip.wav", text: script.turns[0]?.text ?? "" }]),
      "--engine",
      "pocketsphinx",
    );
    expect(sheet.engine).toBe("pocketsphinx");
    expect(measured(sheet, "word error rate")).toBeGreaterThanOrEqual(0);
    expect(sheet.measures.map(({ name }) => name)).toEqual(["word error rate", "character error rate"]);
  });
});
