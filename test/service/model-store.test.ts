/** Models come whole or not at all, are what their manifests say, and nothing else is touched. */
import { cp, mkdir, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ModelStore, openModelStore } from "../../src/inference/store/model-store.js";
import { modelFixture } from "../support/model-fixtures.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const signal = new AbortController().signal;

describe("the model store", () => {
  let directory: TemporaryDirectory;
  let root: string;
  let source: string;
  let store: ModelStore;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    root = join(directory.path, "models");
    source = join(directory.path, "Whisper-Copy");
    await cp(modelFixture("whisper-merged"), source, { recursive: true });
    store = openModelStore(root);
  });
  afterEach(() => directory.remove());

  const visible = async (): Promise<readonly string[]> => (await readdir(root).catch(() => [])).sort();

  it("imports a model under its directory's name, with everything it needs and nothing else", async () => {
    await writeFile(join(source, "flax_model.msgpack"), "not needed");
    await cp(join(source, "onnx/encoder_model.onnx"), join(source, "onnx/encoder_model_fp16.onnx"));
    const model = await store.import(source, { signal });
    expect(model).toMatchObject({ id: "whisper-copy", task: "speech", engine: "whisper", dtype: "fp32" });
    expect(model.files.map(({ path }) => path).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "onnx/decoder_model_merged.onnx",
      "onnx/encoder_model.onnx",
      "preprocessor_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect((await readdir(model.directory)).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "manifest.json",
      "onnx",
      "preprocessor_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(await store.list()).toEqual([model]);
    expect(await store.verify("whisper-copy")).toEqual({ id: "whisper-copy", problems: [] });
  });

  it("takes a hub's cache, where files are links", async () => {
    const blobs = join(directory.path, "blobs");
    const snapshot = join(directory.path, "snapshot");
    await cp(modelFixture("labels-unigram"), blobs, { recursive: true });
    await mkdir(join(snapshot, "onnx"), { recursive: true });
    for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model.onnx"]) await symlink(join(blobs, file), join(snapshot, file));
    const model = await store.import(snapshot, { id: "names", signal });
    await rm(blobs, { recursive: true });
    expect(model).toMatchObject({ id: "names", task: "entities", engine: "token-classification" });
    expect((await store.verify("names")).problems).toEqual([]);
  });

  it("takes int8 weights before fp32 ones, unless told, with their external data", async () => {
    for (const name of ["encoder_model", "decoder_model_merged"]) {
      await cp(join(source, `onnx/${name}.onnx`), join(source, `onnx/${name}_quantized.onnx`));
      await writeFile(join(source, `onnx/${name}.onnx_data`), name);
    }
    expect((await store.import(source, { id: "small", signal })).dtype).toBe("q8");
    const large = await store.import(source, { id: "large", dtype: "fp32", signal });
    expect(
      large.files
        .filter(({ path }) => path.startsWith("onnx/"))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(["onnx/decoder_model_merged.onnx", "onnx/decoder_model_merged.onnx_data", "onnx/encoder_model.onnx", "onnx/encoder_model.onnx_data"]);
    await expect(store.import(source, { id: "none", dtype: "int8", signal })).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it.each(["config.json", "generation_config.json", "tokenizer.json", "onnx/encoder_model.onnx"])(
    "refuses a directory without %s and leaves nothing",
    async (file) => {
      await rm(join(source, file));
      await expect(store.import(source, { signal })).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
      expect(await visible()).toEqual([]);
    },
  );

  it.each(["{}", "not json", '{"model_type":"llama","architectures":["LlamaForCausalLM"]}', "[]"])("refuses a config.json that says %s", async (text) => {
    await writeFile(join(source, "config.json"), text);
    await expect(store.import(source, { signal })).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it.each(["../outside", "a/b", "", ".hidden", "UPPER", "x".repeat(101)])("refuses the id %j", async (id) => {
    await expect(store.import(source, { id, signal })).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
    await expect(store.verify(id)).rejects.toMatchObject({ code: "MODEL_NOT_INSTALLED" });
    await expect(store.remove(id)).rejects.toMatchObject({ code: "MODEL_NOT_INSTALLED" });
  });

  it("leaves nothing of an import that was stopped half-way", async () => {
    const stop = new AbortController();
    const stopped = store.import(source, { signal: stop.signal, onProgress: () => stop.abort(new Error("stopped")) });
    await expect(stopped).rejects.toThrow();
    expect(await visible()).toEqual([]);
    expect(await store.list()).toEqual([]);
  });

  it("keeps an installed model unless it is to be replaced, and then changes its revision with its weights", async () => {
    const first = await store.import(source, { signal });
    await expect(store.import(source, { signal })).rejects.toMatchObject({ code: "MODEL_EXISTS" });
    await writeFile(join(source, "tokenizer_config.json"), '{"model_max_length":448}');
    const second = await store.import(source, { isReplacing: true, signal });
    expect(second.revision).not.toBe(first.revision);
    expect(await visible()).toEqual(["whisper-copy"]);
  });

  it("installs one of two that come at once under one id, whole", async () => {
    const outcomes = await Promise.allSettled([store.import(source, { id: "one", signal }), store.import(source, { id: "one", signal })]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await store.verify("one")).problems).toEqual([]);
    expect(await visible()).toEqual(["one"]);
  });

  it("names every file that is gone or was changed", async () => {
    const { directory: installed } = await store.import(source, { signal });
    await rm(join(installed, "tokenizer.json"));
    await truncate(join(installed, "onnx/encoder_model.onnx"), 1_000);
    expect((await store.verify("whisper-copy")).problems).toEqual(
      expect.arrayContaining([
        { path: "tokenizer.json", problem: "missing" },
        { path: "onnx/encoder_model.onnx", problem: "changed" },
      ]),
    );
  });

  it("removes one model and no other", async () => {
    await store.import(source, { id: "one", signal });
    await store.import(source, { id: "two", signal });
    await store.remove("one");
    expect((await store.list()).map(({ id }) => id)).toEqual(["two"]);
    await expect(store.remove("one")).rejects.toMatchObject({ code: "MODEL_NOT_INSTALLED" });
  });

  it("does not take for a model what somebody else put there", async () => {
    await mkdir(join(root, "notes"), { recursive: true });
    await writeFile(join(root, "notes", "manifest.json"), '{"format":2}');
    await writeFile(join(root, "readme.txt"), "hello");
    expect(await store.list()).toEqual([]);
  });
});
