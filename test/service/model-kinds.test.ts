/** Which engine a directory of model files becomes, and that it runs; files that do not fit together are refused with their reason. */
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tryModel } from "../../src/app/try-model.js";
import { openModelStore } from "../../src/inference/store/model-store.js";
import { modelFixture } from "../support/model-fixtures.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const signal = new AbortController().signal;

describe("a directory of model files", () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterEach(() => directory.remove());

  const copyOf = async (name: string): Promise<string> => {
    const copy = join(directory.path, name);
    await cp(modelFixture(name), copy, { recursive: true });
    return copy;
  };
  const install = (source: string) => openModelStore(join(directory.path, "models")).import(source, { signal, tryOut: tryModel });
  const change = async (path: string, edit: (json: Record<string, unknown>) => unknown): Promise<void> => {
    await writeFile(path, JSON.stringify(edit(JSON.parse(await readFile(path, "utf8")))));
  };

  it.each([
    ["whisper-merged", "speech", "whisper"],
    ["whisper-attentions", "speech", "whisper"],
    ["translation-marian", "translation", "seq2seq"],
    ["translation-m2m100", "translation", "seq2seq"],
    ["translation-t5", "translation", "seq2seq"],
    ["summary-bart", "summary", "seq2seq"],
    ["labels-wordpiece", "entities", "token-classification"],
    ["heads-classifier", "classification", "text-classification"],
    ["heads-quality", "quality", "text-classification"],
    ["zero-shot", "classification", "zero-shot"],
    ["answers", "question_answering", "question-answering"],
  ])("%s is for %s by %s, and runs", async (name, task, engine) => {
    expect(await install(await copyOf(name))).toMatchObject({ task, engine, dtype: "fp32" });
  });

  it("takes the files that name its labels with it", async () => {
    const source = await copyOf("heads-classifier");
    const { files } = await install(source);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["main_categories.json", "sub_categories.json", "interventions.json", "priorities.json"]));
  });

  it("believes heads.json before the file names", async () => {
    const source = await copyOf("heads-classifier");
    await writeFile(join(source, "own.json"), JSON.stringify(["low", "medium", "high"]));
    await writeFile(
      join(source, "heads.json"),
      JSON.stringify({ task: "classification", heads: [{ head: "priority", output: "logits_priority", labels: "own.json" }] }),
    );
    const { files } = await install(source);
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(["heads.json", "own.json"]));
    expect(files.map(({ path }) => path)).not.toContain("sub_categories.json");
  });

  it.each([
    ["no heads", (): unknown => ({ task: "classification" })],
    ["a head that is none", (): unknown => ({ task: "classification", heads: [{ head: "mood", output: "logits_main", labels: ["a"] }] })],
    ["a head twice", (): unknown => ({ task: "classification", heads: [1, 2].map(() => ({ head: "priority", output: "logits_main", labels: ["low"] })) })],
    [
      "more labels than columns",
      (): unknown => ({ task: "classification", heads: [{ head: "priority", output: "logits_priority", labels: ["a", "b", "c", "d"] }] }),
    ],
    ["an output that is none", (): unknown => ({ task: "classification", heads: [{ head: "priority", output: "logits", labels: ["low"] }] })],
    ["a file that is not there", (): unknown => ({ task: "classification", heads: [{ head: "priority", output: "logits_priority", labels: "none.json" }] })],
    ["a file elsewhere", (): unknown => ({ task: "classification", heads: [{ head: "priority", output: "logits_priority", labels: "../x.json" }] })],
  ])("is refused for a heads.json with %s", async (_what, heads) => {
    const source = await copyOf("heads-classifier");
    await writeFile(join(source, "heads.json"), JSON.stringify(heads()));
    await expect(install(source)).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it("is refused when nothing tells what its labels mean", async () => {
    const source = await copyOf("zero-shot");
    await change(join(source, "config.json"), (config) => ({ ...config, id2label: { 0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2" } }));
    await expect(install(source)).rejects.toThrow(/heads\.json/);
  });

  it("is refused without the labels of the existing service's classifier", async () => {
    const source = await copyOf("heads-classifier");
    for (const name of ["main", "sub"]) await rm(join(source, `${name}_categories.json`));
    for (const name of ["interventions", "priorities"]) await rm(join(source, `${name}.json`));
    await expect(install(source)).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });
});
