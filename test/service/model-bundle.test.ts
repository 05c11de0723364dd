/** Models carried in one file: whole, from whom one trusts, or not at all. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fingerprintOf, openSigningKey } from "../../src/inference/store/bundle-signature.js";
import { readBundle, writeBundle } from "../../src/inference/store/model-bundle.js";
import { type InstalledModel, openModelStore } from "../../src/inference/store/model-store.js";
import { modelFixture } from "../support/model-fixtures.js";
import { runCli } from "../support/run-cli.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const signal = new AbortController().signal;

describe("a bundle of models", () => {
  let directory: TemporaryDirectory;
  let bundle: string;
  let models: readonly InstalledModel[];
  const { privateKey: key } = generateKeyPairSync("ed25519");
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    bundle = join(directory.path, "models.tar");
    const store = openModelStore(join(directory.path, "models"));
    for (const name of ["labels-wordpiece", "answers"]) await store.import(modelFixture(name), { signal, facts: { languages: ["en"], licence: "mit" } });
    models = await store.list();
  });
  afterEach(() => directory.remove());

  const write = () => writeBundle(bundle, models, key, { signal });
  const into = () => join(directory.path, "unpacked");
  const read = (signedBy: string | undefined = fingerprintOf(key)) => readBundle(bundle, into(), signedBy, { signal });
  const change = async (find: string, replace: string): Promise<void> => {
    const bytes = await readFile(bundle);
    const at = bytes.indexOf(find);
    expect(at).toBeGreaterThan(0);
    bytes.write(replace, at);
    await writeFile(bundle, bytes);
  };

  it("gives back every byte of every model, with what was known of it", async () => {
    await write();
    const unpacked = await read();
    expect(unpacked.map(({ manifest: { id, languages, licence } }) => ({ id, languages, licence }))).toEqual(
      models.map(({ id }) => ({ id, languages: ["en"], licence: "mit" })),
    );
    for (const { manifest, directory: place } of unpacked) {
      for (const { path } of manifest.files)
        expect((await readFile(join(place, path))).equals(await readFile(join(modelFixture(manifest.id), path)))).toBe(true);
    }
  });

  it("says who made it, and installs nothing before one has said that one trusts them", async () => {
    await write();
    await expect(readBundle(bundle, into(), undefined, { signal })).rejects.toMatchObject({
      code: "MODEL_BUNDLE_UNTRUSTED",
      message: expect.stringContaining(fingerprintOf(key)),
    });
    await expect(read(fingerprintOf(generateKeyPairSync("ed25519").privateKey))).rejects.toMatchObject({ code: "MODEL_BUNDLE_UNTRUSTED" });
    expect(await readdir(directory.path)).not.toContain("unpacked");
    expect(await read(fingerprintOf(key).toUpperCase().replaceAll("-", " "))).toHaveLength(2);
  });

  it.each([
    ["its contents", "token-classification", "text-classification "],
    ["its signature", '"signature":"', '"signature":" '],
    ["a file's name", "answers/config.json", "answers/../cfg.jsn"],
  ])("is refused when %s were changed on the way", async (_, find, replace) => {
    await write();
    await change(find, replace);
    await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^MODEL_(BUNDLE_UNTRUSTED|FILES_INVALID)$/) });
    expect(await readdir(directory.path)).not.toContain("cfg.jsn");
  });

  it("is refused when a byte of a file was changed", async () => {
    await write();
    const bytes = await readFile(bundle);
    const at = Math.floor(bytes.length * 0.6);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await writeFile(bundle, bytes);
    await expect(read()).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it.each([0, 100, 600, 5_000, 100_000])("is refused when it ends after %i bytes", async (length) => {
    await write();
    await truncate(bundle, length);
    await expect(read()).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it("is refused when it is another kind of file", async () => {
    await writeFile(bundle, Buffer.alloc(10_000, "no bundle "));
    await expect(read()).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
  });

  it("is not written of a model that is not what was installed, and leaves nothing behind", async () => {
    const [model] = models;
    await writeFile(join(model?.directory ?? "", "config.json"), "{}");
    await expect(write()).rejects.toMatchObject({ code: "MODEL_FILES_INVALID" });
    expect((await readdir(directory.path)).filter((name) => name.startsWith("models.tar"))).toEqual([]);
  });

  it("is signed by one key for good, which its owner alone can read", async () => {
    const path = join(directory.path, "signing.key");
    const first = await openSigningKey(path);
    expect(fingerprintOf(await openSigningKey(path))).toBe(fingerprintOf(first));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(createPrivateKey(await readFile(path)).asymmetricKeyType).toBe("ed25519");
  });

  it("goes from one machine to another by the command line", async () => {
    const [here, there] = [join(directory.path, "here"), join(directory.path, "there")];
    const at =
      (data: string) =>
      (...words: readonly string[]) =>
        runCli(["models", ...words, "--data-dir", data]);
    for (const name of ["labels-wordpiece", "zero-shot"]) expect((await at(here)("import", modelFixture(name), "--languages", "en,sw")).exitCode).toBe(0);
    const exported = await at(here)("export", "--output", bundle);
    expect(exported.exitCode).toBe(0);
    const fingerprint = /signed by ([0-9a-f-]+)/.exec(exported.stdout)?.[1] ?? "";
    expect(await at(there)("import", bundle)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(fingerprint) });
    expect((await at(there)("list")).stdout).toBe("");
    expect((await at(there)("import", bundle, "--signed-by", fingerprint)).exitCode).toBe(0);
    expect((await at(there)("list")).stdout.trim().split("\n")).toHaveLength(2);
    expect((await at(there)("verify")).exitCode).toBe(0);
    expect(await at(here)("export", "no-such", "--output", bundle)).toMatchObject({ exitCode: 2 });
  });
});
