/** The catalogue we ship, and one that a helpline adds. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findInCatalogue, readCatalogue } from "../../../src/inference/store/model-catalogue.js";
import { ROOT } from "../../support/source-tree.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../../support/temporary-directory.js";

const SHIPPED = join(ROOT, "models", "catalogue");

describe("the catalogue we ship", () => {
  it("has the profiles that are promised", async () => {
    const { profiles } = await readCatalogue([SHIPPED]);
    expect(profiles.map(({ name }) => name)).toEqual(["cpu-small", "cpu", "gpu", "openchs"]);
    expect(profiles.find(({ name }) => name === "openchs")?.models).toHaveLength(6);
  });

  it("has nothing in a profile that may not be used commercially", async () => {
    const { profiles, entries } = await readCatalogue([SHIPPED]);
    expect(profiles.flatMap(({ models }) => models).filter(({ commercial_use: mayUse, licence }) => !mayUse || /-nc/.test(licence))).toEqual([]);
    for (const { licence, commercial_use: mayUse } of entries) expect(mayUse).toBe(!/-nc/.test(licence));
  });

  it("says how to make what can't be pulled, and has nothing to pull of it", async () => {
    const { entries } = await readCatalogue([SHIPPED]);
    for (const { id, conversion, files } of entries) {
      expect(files.length === 0, id).toBe(conversion !== undefined);
      if (conversion !== undefined) expect(conversion).toContain("openchs-ai models import");
    }
  });

  it("claims nothing of weights that nobody has run", async () => {
    expect((await readCatalogue([SHIPPED])).entries.filter(({ verified }) => verified)).toEqual([]);
  });
});

describe("a helpline's own catalogue", () => {
  let directory: TemporaryDirectory;
  let own: string;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    own = join(directory.path, "catalogue");
    await mkdir(own);
  });
  afterEach(() => directory.remove());

  const entry = (changes: object = {}) => ({
    ...{ id: "our-ner", task: "entities", engine: "token-classification", repository: "us/our-ner", revision: "main", dtype: "q8", files: [] },
    ...{ verified: true, languages: ["sw"], licence: "apache-2.0", commercial_use: true, memory_mb: 300, notes: "ours", ...changes },
  });
  const write = (name: string, content: unknown): Promise<void> => writeFile(join(own, name), typeof content === "string" ? content : JSON.stringify(content));

  it("adds models and profiles, and takes the place of ours of the same name", async () => {
    const replaced = entry({ id: "bert-base-ner", notes: "our own" });
    await write("own.json", { models: [entry(), replaced], profiles: { ours: { purpose: "our box", models: ["our-ner", "whisper-small"] } } });
    const catalogue = await readCatalogue([SHIPPED, own]);
    expect(findInCatalogue(catalogue, "ours").map(({ id }) => id)).toEqual(["our-ner", "whisper-small"]);
    expect(findInCatalogue(catalogue, "bert-base-ner")[0]?.notes).toBe("our own");
    expect(() => findInCatalogue(catalogue, "no-such")).toThrow(/cpu-small.*our-ner/);
  });

  it.each([
    ["no JSON", '{"models": ['],
    ["a model without a licence", { models: [{ ...entry(), licence: undefined }] }],
    ["a file elsewhere", { models: [entry({ files: [{ path: "../../etc/passwd" }] })] }],
    ["a revision that is none", { models: [entry({ revision: "v1.0" })] }],
    ["a misspelt field", { models: [entry({ licences: "mit" })] }],
    ["a profile of a model that is not there", { models: [], profiles: { ours: { purpose: "x", models: ["nothing"] } } }],
  ])("is refused, by its file's name, for %s", async (_, content) => {
    await write("own.json", content);
    await expect(readCatalogue([SHIPPED, own])).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("own.json") });
  });
});
