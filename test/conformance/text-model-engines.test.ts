/** The engine contract over models that read a whole call: classification, quality, zero-shot, question answering. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTaxonomy } from "../../src/app/casework/taxonomy.js";
import { createBuiltinEngines } from "../../src/inference/backends/builtin/create-builtin-engines.js";
import { createExtractiveAnswerer } from "../../src/inference/backends/question-answering/extractive-answerer.js";
import { createModelSummarizer } from "../../src/inference/backends/seq2seq/model-summarizer.js";
import { readHeadsSettings } from "../../src/inference/backends/text-classification/head-settings.js";
import { createCaseClassifier } from "../../src/inference/backends/text-classification/model-case-classifier.js";
import { createModelQualityAssessor } from "../../src/inference/backends/text-classification/model-quality-assessor.js";
import { createZeroShotClassifier } from "../../src/inference/backends/text-classification/zero-shot-classifier.js";
import type { ModelEngine } from "../../src/inference/model-engine.js";
import { CALL_SEGMENTS } from "../support/call-material.js";
import { modelFixture } from "../support/model-fixtures.js";
import { ROOT } from "../support/source-tree.js";
import { describeEngineContract } from "./engine-contract.js";

const segments = CALL_SEGMENTS;
const signal = new AbortController().signal;
const builtins = createBuiltinEngines({ assetsDirectory: join(ROOT, "data") }) as readonly ModelEngine[];

function ruleFor<Task extends "classification" | "quality">(task: Task): ModelEngine<Task> {
  const rule = builtins.find(({ description }) => description.modelTask === task);
  if (rule === undefined) throw new Error(`no rules for ${task}`);
  return rule as ModelEngine<Task>;
}

async function headsOf(name: string) {
  const settings = await readHeadsSettings(modelFixture(name));
  if (settings === undefined) throw new Error(`no heads in ${name}`);
  return settings;
}

const files = (name: string) => ({ id: name, directory: modelFixture(name), revision: name, suffix: "", threads: 1, languages: ["*"] });
const INFERENCE_COLUMNS = { count: 3, entailment: 0, contradiction: 2 };
const createClassifier = async (languages = ["*"]) =>
  createCaseClassifier(
    { ...files("heads-classifier"), languages, taxonomy: await loadTaxonomy({ assetsDirectory: join(ROOT, "data") }), rules: ruleFor("classification") },
    await headsOf("heads-classifier"),
  );
const createZeroShot = async () =>
  createZeroShotClassifier(
    { ...files("zero-shot"), taxonomy: await loadTaxonomy({ assetsDirectory: join(ROOT, "data") }), rules: ruleFor("classification") },
    INFERENCE_COLUMNS,
  );
const createQuality = async () => createModelQualityAssessor({ ...files("heads-quality"), rules: ruleFor("quality") }, await headsOf("heads-quality"));

describeEngineContract({ name: "a classifier of four heads", create: createClassifier, input: async () => ({ segments }), segments });
describeEngineContract({ name: "natural language inference", create: createZeroShot, input: async () => ({ segments }), segments });
describeEngineContract({ name: "a model of the rubric", create: createQuality, input: async () => ({ segments }), segments });
describeEngineContract({
  name: "extractive question answering",
  create: () => createExtractiveAnswerer(files("answers")),
  input: async () => ({ segments, question: "Who is the child?" }),
  segments,
});

describe("a classifier of four heads", () => {
  it("leaves to the rules what it does not say, and names them in its revision", async () => {
    const engine = await createClassifier();
    const ruled = await ruleFor("classification").run({ segments }, { signal });
    const { classification } = await engine.run({ segments }, { signal });
    await engine.close?.();
    expect(classification.contactType).toEqual(ruled.classification.contactType);
    // Its priorities are bare numbers.
    expect(classification.priority).toEqual(ruled.classification.priority);
    expect(engine.description.revision).toBe(`heads-classifier+${ruleFor("classification").description.revision}`);
  });

  it("shows words for every label it gives", async () => {
    const engine = await createClassifier();
    const { classification } = await engine.run({ segments }, { signal });
    await engine.close?.();
    for (const { label, evidence } of Object.values(classification)) expect(evidence.length > 0).toBe(label !== null);
  });

  it("leaves a call in another language to the next engine", async () => {
    const engine = await createClassifier(["fr"]);
    await expect(engine.run({ segments }, { signal })).rejects.toMatchObject({ code: "MODEL_NOT_READY" });
  });

  it("reads a call of hours in parts", async () => {
    const engine = await createClassifier();
    const long = Array.from({ length: 200 }, (_, index) => segments.map((segment) => ({ ...segment, id: `${segment.id}-${index}` }))).flat();
    const { classification } = await engine.run({ segments: long }, { signal });
    await engine.close?.();
    expect(classification.mainCategory.score).toBeLessThanOrEqual(1);
  });
});

describe("a model of the rubric", () => {
  it("marks every item of the rubric in force, in its order, by itself or by the rules", async () => {
    const engine = await createQuality();
    const ruled = await ruleFor("quality").run({ segments }, { signal });
    const { quality } = await engine.run({ segments }, { signal });
    await engine.close?.();
    const names = ({ heads }: typeof quality) => heads.map(({ head, items }) => [head, items.map(({ item }) => item)]);
    expect(names(quality)).toEqual(names(ruled.quality));
    const hold = (one: typeof quality) => one.heads.find(({ head }) => head === "hold");
    // The model has no such head.
    expect(hold(quality)).toEqual(hold(ruled.quality));
  });
});

describe("a summary by a model", () => {
  it("is left to the next engine when nothing that was written is borne out by the call", async () => {
    const engine = await createModelSummarizer(files("summary-bart"));
    await expect(engine.run({ segments }, { signal })).rejects.toMatchObject({ code: "MODEL_NOT_READY" });
    await engine.close?.();
  });

  it("of no words is none", async () => {
    const engine = await createModelSummarizer(files("summary-bart"));
    expect(await engine.run({ segments: [] }, { signal })).toEqual({ summary: { text: "", sentences: [] } });
  });
});
