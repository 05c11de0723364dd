import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Evidence } from "../../../src/core/evidence.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { createBuiltinEngines, createLazyBuiltinEngines } from "../../../src/inference/backends/builtin/create-builtin-engines.js";
import type { ModelEngine } from "../../../src/inference/model-engine.js";
import { callOf, DATA_DIRECTORY, isGrounded, runBuiltin } from "./builtin-call.js";

const TASKS = ["language", "entities", "classification", "risk", "summary", "quality", "question_answering"] as const;
const folders: string[] = [];

function copyOfData(): string {
  const folder = mkdtempSync(join(tmpdir(), "openchs-data-"));
  folders.push(folder);
  cpSync(DATA_DIRECTORY, folder, { recursive: true });
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function evidenceOf(segments: readonly TranscriptSegment[]): Promise<readonly Evidence[]> {
  const { entities } = await runBuiltin("entities", { segments });
  await runBuiltin("language", { segments: segments.map((segment) => ({ ...segment, language: "und" })) });
  const { classification } = await runBuiltin("classification", { segments });
  const { risks } = await runBuiltin("risk", { segments });
  const { summary } = await runBuiltin("summary", { segments });
  const { quality } = await runBuiltin("quality", { segments });
  const { evidence } = await runBuiltin("question_answering", { segments, question: "who beats the child" });
  expect(risks.every((risk) => risk.evidence.length > 0)).toBe(true);
  return [
    ...entities.flatMap(({ mentions }) => mentions),
    ...Object.values(classification).flatMap((decision) => decision.evidence),
    ...risks.flatMap((risk) => risk.evidence),
    ...summary.sentences.flatMap((sentence) => sentence.evidence),
    ...quality.heads.flatMap(({ items }) => items.flatMap((item) => item.evidence)),
    ...evidence,
  ];
}

const WORDS =
  "my stepfather beats me nobody i want to die naitwa amina nina miaka kumi na mbili baba ananipiga she's 14 don't 0712345678 ? . , kibera shule ya je ndiyo 'I’m İstanbul 👧🏾 \n".split(
    " ",
  );
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 40 }).map((words) => words.join(" ")),
);
const line = fc.tuple(fc.constantFrom("caller" as const, "agent" as const, "mixed" as const), text);

describe("builtin engines", () => {
  it("never fail and ground every claim in the words of the call, whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const segments = callOf(...lines);
        expect(isGrounded(segments, await evidenceOf(segments))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("give one string one label in a call", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const { entities } = await runBuiltin("entities", { segments: callOf(...lines) });
        const keys = entities.map((entity) => entity.text.toLowerCase().replace(/\s+/g, " "));
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 100 },
    );
  });

  it("name themselves builtin, with a revision per set of data files", () => {
    const descriptions = createBuiltinEngines({ assetsDirectory: DATA_DIRECTORY }).map(({ description }) => description);
    expect(descriptions.map(({ modelTask }) => modelTask)).toEqual(TASKS);
    for (const { modelTask, engine, revision, capabilities } of descriptions) {
      expect(engine).toBe("builtin");
      expect(revision).toMatch(/^builtin-[0-9a-f]{12}-\d+$/);
      expect(capabilities.languages).toEqual(modelTask === "language" ? ["en", "sw", "lg"] : ["en", "sw"]);
    }
  });

  it("change the revision of the engines that use a file when it changes, and of no other", () => {
    const folder = copyOfData();
    const path = join(folder, "lexicons/risks.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('"kill|killing|hang', '"slay|kill|killing|hang'));
    const before = createBuiltinEngines({ assetsDirectory: DATA_DIRECTORY });
    const after = createBuiltinEngines({ assetsDirectory: folder });
    const changed = before.filter((engine, index) => engine.description.revision !== after[index]?.description.revision);
    expect(changed.map(({ description }) => description.modelTask)).toEqual(["classification", "risk", "summary", "question_answering"]);
  });

  it("are the same when their files are read only once they are asked", async () => {
    const lazy = createLazyBuiltinEngines({ assetsDirectory: DATA_DIRECTORY });
    const eager = createBuiltinEngines({ assetsDirectory: DATA_DIRECTORY });
    expect(lazy.map(({ description }) => description)).toEqual(eager.map(({ description }) => description));
    const input = {
      segments: [{ id: "s1", channel: "caller" as const, startMs: 0, endMs: 4_000, text: "My uncle beats me with a rope.", language: "en", score: null }],
    };
    const answer = (engines: readonly { description: { modelTask: string } }[]) =>
      (engines.find(({ description }) => description.modelTask === "risk") as ModelEngine<"risk">).run(input, { signal: new AbortController().signal });
    const risks = await answer(lazy);
    expect(risks.risks).not.toEqual([]);
    expect(risks).toEqual(await answer(eager));
  });

  it("tell of a broken lexicon when they are asked, if their files are read then", async () => {
    const folder = copyOfData();
    writeFileSync(join(folder, "lexicons/incidents.json"), '{"id":"incidents","version":1,"incidents":{"en":["... x"]}}');
    const [language] = createLazyBuiltinEngines({ assetsDirectory: folder }) as readonly ModelEngine[];
    await expect(language?.run({ segments: [] } as never, { signal: new AbortController().signal })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("refuse a broken lexicon by naming the file and the rule", () => {
    const folder = copyOfData();
    writeFileSync(join(folder, "lexicons/incidents.json"), '{"id":"incidents","version":1,"incidents":{"en":["... x"]}}');
    expect(() => createBuiltinEngines({ assetsDirectory: folder })).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        details: { file: "lexicons/incidents.json", rule: "incidents.en.0: a phrase must not begin or end with a gap" },
      }),
    );
  });

  it("refuse a missing data file by its name", () => {
    const folder = copyOfData();
    rmSync(join(folder, "gazetteers/names.json"));
    expect(() => createBuiltinEngines({ assetsDirectory: folder })).toThrow(/gazetteers\/names\.json/);
  });

  it.each(TASKS)("stop the %s engine with the reason of the signal", async (task) => {
    const reason = new Error("the call was withdrawn");
    const segments = callOf(["caller", "my uncle beats me"]);
    await expect(runBuiltin(task, { segments, question: "who" }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("refuse segments that share an id", async () => {
    const [segment] = callOf(["caller", "hello"]);
    if (segment === undefined) throw new Error("a segment was expected");
    await expect(runBuiltin("risk", { segments: [segment, segment] })).rejects.toMatchObject({
      code: "MODEL_INPUT_INVALID",
    });
  });
});
