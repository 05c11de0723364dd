/** Classification, question answering and summary against Python's transformers on the same tiny weights. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TextTokenizer } from "../../src/inference/backends/onnx/text-tokenizer.js";
import { AnswerModel } from "../../src/inference/backends/question-answering/extractive-answerer.js";
import { Seq2SeqModel } from "../../src/inference/backends/seq2seq/seq2seq-model.js";
import { HeadModel, meanLogits, sigmoid } from "../../src/inference/backends/text-classification/head-model.js";
import { readHeadsSettings } from "../../src/inference/backends/text-classification/head-settings.js";
import { EntailmentModel, inferenceLabels } from "../../src/inference/backends/text-classification/zero-shot-classifier.js";
import { readLabels } from "../../src/inference/backends/token-classification/token-classifier.js";
import { modelFixture } from "../support/model-fixtures.js";

const signal = new AbortController().signal;

function parityOf<Case>(name: string): { readonly cases: readonly Case[]; readonly newTokens: number } {
  return JSON.parse(readFileSync(modelFixture(`${name}.parity.json`), "utf8"));
}

const optionsOf = (name: string) => ({ directory: modelFixture(name), suffix: "", threads: 1 });
const tokenizerOf = (name: string) => TextTokenizer.read(modelFixture(name));

async function openHeads(name: string) {
  const settings = await readHeadsSettings(modelFixture(name));
  if (settings === undefined) throw new Error("no heads");
  return { settings, model: await HeadModel.open(optionsOf(name), await tokenizerOf(name), settings) };
}

describe("a classifier of four heads", () => {
  const { cases } = parityOf<{ readonly text: string; readonly logits: readonly (readonly number[])[] }>("heads-classifier");

  it("gives the logits of every head, for texts of different lengths at once", async () => {
    const { model } = await openHeads("heads-classifier");
    const read = await model.read(
      cases.map(({ text }) => text),
      signal,
    );
    await model.close();
    for (const [index, { logits }] of cases.entries()) {
      const found = meanLogits(read[index] ?? []);
      expect(found.map(({ length }) => length)).toEqual(logits.map(({ length }) => length));
      for (const [head, row] of logits.entries()) for (const [column, logit] of row.entries()) expect(found[head]?.[column]).toBeCloseTo(logit, 3);
    }
  });

  it("takes labels by number as well as in order", async () => {
    const { settings } = await openHeads("heads-classifier");
    expect(settings.heads.map(({ head, output }) => [head, output])).toEqual([
      ["main_category", "logits_main"],
      ["sub_category", "logits_sub"],
      ["intervention", "logits_interv"],
      ["priority", "logits_priority"],
    ]);
    expect(settings.heads[2]?.labels).toEqual(["Referral", "Counselling", "Signposting"]);
  });
});

describe("a model of the rubric", () => {
  const { cases } = parityOf<{ readonly text: string; readonly probabilities: readonly number[] }>("heads-quality");

  it.each(cases)("gives each item of $text its probability, from its own columns", async ({ text, probabilities }) => {
    const { model } = await openHeads("heads-quality");
    const [parts = []] = await model.read([text], signal);
    await model.close();
    const found = meanLogits(parts).flatMap((row) => [...row].map((logit) => sigmoid(logit)));
    expect(found).toHaveLength(probabilities.length);
    for (const [index, probability] of probabilities.entries()) expect(found[index]).toBeCloseTo(probability, 3);
  });
});

describe("natural language inference", () => {
  interface Case {
    readonly text: string;
    readonly labels: readonly string[];
    readonly scores: readonly number[];
    readonly entailments: readonly number[];
  }
  const { cases } = parityOf<Case>("zero-shot");

  it.each(cases)("scores labels of $text", async ({ text, labels, scores, entailments }) => {
    const columns = inferenceLabels(await readLabels(modelFixture("zero-shot")));
    if (columns === undefined) throw new Error("no columns");
    const model = await EntailmentModel.open(optionsOf("zero-shot"), await tokenizerOf("zero-shot"), columns);
    const found = await model.scores(text, labels, signal);
    const alone = await model.entailments(
      labels.map((label) => ({ premise: text, label })),
      signal,
    );
    await model.close();
    for (const [index, score] of scores.entries()) expect(found[index]).toBeCloseTo(score, 3);
    for (const [index, score] of entailments.entries()) expect(alone[index]).toBeCloseTo(score, 3);
  });
});

describe("question answering", () => {
  interface Case {
    readonly question: string;
    readonly text: string;
    readonly ids: readonly number[];
    readonly span: { readonly start: number; readonly end: number; readonly score: number } | null;
  }
  const { cases } = parityOf<Case>("answers");

  it.each(cases)("$question of: $text", async ({ question, text, ids, span }) => {
    const tokenizer = await tokenizerOf("answers");
    expect(tokenizer.encodePair(question, text).ids).toEqual(ids);
    const model = await AnswerModel.open(optionsOf("answers"), tokenizer);
    const found = await model.find(question, { text, spans: [{ segmentId: "s1", chunkStart: 0, segmentStart: 0, length: text.length }] });
    await model.close();
    expect(found === undefined ? null : { start: found.start, end: found.end }).toEqual(span === null ? null : { start: span.start, end: span.end });
    if (span !== null) expect(found?.score).toBeCloseTo(span.score, 3);
  });
});

describe("a summary by BART", () => {
  const { cases, newTokens } = parityOf<{ readonly text: string; readonly ids: readonly number[]; readonly tokens: readonly number[] }>("summary-bart");

  it.each(cases)("writes the same tokens, no pair of them twice: $text", async ({ text, ids, tokens }) => {
    expect((await tokenizerOf("summary-bart")).encode(text).ids).toEqual(ids);
    const model = await Seq2SeqModel.open(optionsOf("summary-bart"));
    // The forced first token counts in Python.
    const written = await model.write(ids, { maxTokens: newTokens - 1, signal });
    await model.close();
    expect(written).toEqual(tokens);
  });
});
