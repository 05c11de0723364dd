/** A model from the hub comes complete and verified, whatever the line does; or there is one clear reason, and nothing half-done in sight. */
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HubClient } from "../../src/inference/store/hub-client.js";
import { type ModelPull, pullModel } from "../../src/inference/store/model-pull.js";
import { type InstalledModel, type ModelStore, openModelStore } from "../../src/inference/store/model-store.js";
import { COMMIT, type Fault, type HubMirror, startHubMirror } from "../support/hub-mirror.js";
import { modelFixture } from "../support/model-fixtures.js";
import { runCli } from "../support/run-cli.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const REPOSITORY = "onnx-community/Whisper-Test";
const ENCODER = "onnx/encoder_model.onnx";

describe("pulling a model", () => {
  let directory: TemporaryDirectory;
  let source: string;
  let store: ModelStore;
  let mirror: HubMirror;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    source = join(directory.path, "source");
    await cp(modelFixture("whisper-merged"), source, { recursive: true });
    await writeFile(join(source, "onnx", "encoder_model_fp16.onnx"), Buffer.alloc(300_000));
    await writeFile(join(source, "README.md"), "a model");
    store = openModelStore(join(directory.path, "models"));
    mirror = await startHubMirror(REPOSITORY, source);
  });
  afterEach(async () => {
    await mirror[Symbol.asyncDispose]();
    await directory.remove();
  });

  const pull = (options: Partial<ModelPull> = {}, token?: string): Promise<InstalledModel> => {
    const hub = new HubClient({ endpoint: mirror.endpoint, ...(token === undefined ? {} : { token }) });
    const request = { repository: REPOSITORY, revision: "main", signal: new AbortController().signal, firstDelayMs: 1, ...options };
    return pullModel({ hub, store, downloads: join(directory.path, "models", ".downloads") }, request);
  };
  const fail = (path: string, ...faults: Fault[]): void => void mirror.faults.set(path, faults);
  const inSight = async (): Promise<readonly string[]> =>
    (await readdir(join(directory.path, "models")).catch(() => [])).filter((name) => !name.startsWith("."));

  it("brings what is needed, and nothing else, and says where it came from", async () => {
    const shown = new Map<string, number>();
    const model = await pull({ onProgress: (path, done) => shown.set(path, done) });
    expect(model).toMatchObject({ id: "whisper-test", dtype: "fp32", origin: { repository: REPOSITORY, commit: COMMIT } });
    expect((await store.verify("whisper-test")).problems).toEqual([]);
    const asked = mirror.served.map(({ path }) => path);
    expect(asked.sort()).toEqual(model.files.map(({ path }) => path).sort());
    for (const { path, sizeBytes } of model.files) expect(shown.get(path)).toBe(sizeBytes);
    expect(await readdir(join(directory.path, "models", ".downloads"))).toEqual([]);
  });

  it("goes on where a connection was cut, and fetches no byte twice", async () => {
    fail(ENCODER, "cut", "cut", "503", "cut");
    const { files } = await pull();
    const size = files.find(({ path }) => path === ENCODER)?.sizeBytes ?? 0;
    const parts = mirror.served.filter(({ path }) => path === ENCODER);
    expect(parts.length).toBe(4);
    for (const [index, { from }] of parts.entries()) if (index > 0) expect(from).toBe((parts[index - 1]?.from ?? 0) + (parts[index - 1]?.sent ?? 0));
    expect(parts.reduce((sum, { sent }) => sum + sent, 0)).toBe(size);
    expect((await store.verify("whisper-test")).problems).toEqual([]);
  });

  it("begins a file anew at a mirror that knows no ranges", async () => {
    fail(ENCODER, "cut", "no-range");
    await pull();
    expect((await store.verify("whisper-test")).problems).toEqual([]);
  });

  it("goes on in the next pull after one that gave up", async () => {
    fail(ENCODER, "cut", ...Array.from({ length: 12 }, () => "503" as const));
    await expect(pull()).rejects.toMatchObject({ code: "MODEL_HUB_UNREACHABLE" });
    expect(await inSight()).toEqual([]);
    mirror.faults.clear();
    mirror.served.length = 0;
    await pull();
    const [rest] = mirror.served.filter(({ path }) => path === ENCODER);
    expect(rest?.from).toBeGreaterThan(0);
    // What was whole is not fetched again.
    expect(mirror.served.some(({ path }) => path === "config.json")).toBe(false);
    expect((await store.verify("whisper-test")).problems).toEqual([]);
  });

  it.each(["wrong", "long"] as const)("refuses a file of %s content, keeps nothing of it, and gets it right next time", async (fault) => {
    fail(ENCODER, fault);
    await expect(pull()).rejects.toMatchObject({ code: "MODEL_DOWNLOAD_CORRUPT", message: expect.stringContaining(ENCODER) });
    expect(await inSight()).toEqual([]);
    await pull();
    expect((await store.verify("whisper-test")).problems).toEqual([]);
  });

  it("notices a small file of wrong content by git's hash", async () => {
    fail("generation_config.json", "wrong");
    await expect(pull()).rejects.toMatchObject({ code: "MODEL_DOWNLOAD_CORRUPT" });
  });

  it("tells the hub its token, and nobody the hub sends it to", async () => {
    await pull({}, "hf_secret");
    expect([...mirror.tokens]).toEqual(["Bearer hf_secret"]);
    expect(mirror.leakedTokens).toEqual([]);
  });

  it("says what to do about a gated model, an unknown one, an unknown revision, and no hub", async () => {
    fail(ENCODER, "401");
    await expect(pull()).rejects.toMatchObject({ code: "MODEL_HUB_REFUSED", message: expect.stringContaining("accept its terms") });
    await expect(pull({ repository: "nobody/nothing" })).rejects.toMatchObject({ message: expect.stringContaining("no such model") });
    await expect(pull({ revision: "v9" })).rejects.toMatchObject({ message: expect.stringContaining("no such revision") });
    await expect(pull({ repository: "../../etc" })).rejects.toMatchObject({ message: expect.stringContaining("owner/name") });
    const nobody = new HubClient({ endpoint: "http://127.0.0.1:9" });
    await expect(nobody.snapshot(REPOSITORY, "main", new AbortController().signal)).rejects.toMatchObject({ code: "MODEL_HUB_UNREACHABLE", retryable: true });
  });

  it("stops when it is told to, and goes on later", async () => {
    const stop = new AbortController();
    await expect(pull({ signal: stop.signal, onProgress: (path, done) => path === ENCODER && done > 0 && stop.abort(new Error("stopped")) })).rejects.toThrow(
      "stopped",
    );
    expect(await inSight()).toEqual([]);
    await pull();
    expect(await inSight()).toEqual(["whisper-test"]);
  });

  it("works by the command line with the hub's own variables, and not at all when offline", async () => {
    const env = { HF_ENDPOINT: mirror.endpoint, DATA_DIR: directory.path };
    const offline = await runCli(["models", "pull", REPOSITORY], { env: { ...env, HF_HUB_OFFLINE: "1" } });
    expect(offline).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("HF_HUB_OFFLINE") });
    expect(mirror.tokens.size).toBe(0);
    const pulled = await runCli(["models", "pull", `${REPOSITORY}@${COMMIT}`, "--id", "ears"], { env: { ...env, HF_TOKEN: "hf_secret" } });
    expect(pulled).toMatchObject({ exitCode: 0, stdout: `ears: speech by whisper, fp32, 7 files, commit ${COMMIT}\n` });
    expect(`${pulled.stdout}${pulled.stderr}`).not.toContain("hf_secret");
    expect((await runCli(["models", "pull", REPOSITORY, "--id", "ears"], { env })).stderr).toContain("MODEL_EXISTS");
  });

  describe("by a catalogue", () => {
    const env = () => ({ HF_ENDPOINT: mirror.endpoint, DATA_DIR: directory.path });
    const entry = (changes: object = {}) => ({
      ...{ id: "ears", task: "speech", engine: "whisper", repository: REPOSITORY, revision: COMMIT, dtype: "fp32", files: [{ path: ENCODER }] },
      ...{ verified: false, languages: ["sw", "en"], licence: "cc-by-nc-4.0", commercial_use: false, memory_mb: 100, notes: "for tests", ...changes },
    });
    const catalogue = async (...models: readonly object[]): Promise<void> => {
      const folder = join(directory.path, "models", "catalogue");
      await mkdir(folder, { recursive: true });
      const profiles = { ours: { purpose: "tests", models: models.map((model) => (model as { id: string }).id) } };
      await writeFile(join(folder, "own.json"), JSON.stringify({ models, profiles }));
    };

    it("brings a profile, says what one may do with it, and what of it can't be had", async () => {
      await catalogue(entry(), entry({ id: "gone", repository: "nobody/nothing" }), entry({ id: "unmade", files: [], conversion: "Run the converter." }));
      const { exitCode, stdout, stderr } = await runCli(["models", "pull", "ours"], { env: env() });
      expect(exitCode).toBe(4);
      expect(stdout).toContain("ears: speech by whisper");
      expect(stdout).toContain("NOT for commercial use");
      expect(stdout).toContain("nobody of openchs-ai has run these weights");
      expect(stderr).toMatch(/gone: MODEL_HUB_REFUSED/);
      expect(stderr).toContain("Run the converter.");
      const [model] = await store.list();
      expect(model).toMatchObject({ id: "ears", languages: ["sw", "en"], licence: "cc-by-nc-4.0", origin: { commit: COMMIT } });
      const again = await runCli(["models", "pull", "ears"], { env: env() });
      expect(again).toMatchObject({ exitCode: 0, stdout: "ears: is installed\n" });
    });

    it.each([
      ["hash", { path: "onnx/decoder_model_merged.onnx", sha256: "0".repeat(64) }],
      ["size", { path: ENCODER, size_bytes: 5 }],
      ["name", { path: "onnx/other.onnx" }],
    ])("refuses, before a byte of it comes, a file of another %s than it knows", async (_, file) => {
      await catalogue(entry({ files: [file] }));
      const { exitCode, stderr } = await runCli(["models", "pull", "ears"], { env: env() });
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("MODEL_DOWNLOAD_CORRUPT")]);
      expect(mirror.served).toEqual([]);
    });

    it("is shown, with ours", async () => {
      await catalogue(entry());
      const { stdout } = await runCli(["models", "list", "--available"], { env: env() });
      expect(stdout).toMatch(/^ours +tests: ears$/mu);
      expect(stdout).toMatch(/^whisper-small +speech/mu);
      expect(stdout).toMatch(/^openchs-classifier +classification/mu);
    });
  });

  it("takes no file that would lie outside its directory", async () => {
    mirror.addFile("onnx/encoder_model.onnx_data/../../../../outside.txt", "x");
    await pull();
    expect(mirror.served.map(({ path }) => path)).not.toContain("onnx/encoder_model.onnx_data/../../../../outside.txt");
  });
});
