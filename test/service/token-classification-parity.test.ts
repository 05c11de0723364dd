/** Labels of tokens and their exact places, against Python's transformers on the same tiny weights. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TextTokenizer } from "../../src/inference/backends/onnx/text-tokenizer.js";
import { LabelModel, readLabels } from "../../src/inference/backends/token-classification/token-classifier.js";
import { LABEL_FIXTURES, modelFixture } from "../support/model-fixtures.js";

interface Parity {
  readonly cases: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly spans: readonly { readonly label: string; readonly start: number; readonly end: number; readonly score: number }[];
  }[];
}

describe.each(LABEL_FIXTURES)("%s", (name) => {
  const { cases } = JSON.parse(readFileSync(modelFixture(`${name}.parity.json`), "utf8")) as Parity;
  const directory = modelFixture(name);

  it.each(cases)("cuts $text into the same tokens", async ({ text, ids }) => {
    expect((await TextTokenizer.read(directory)).encode(text).ids).toEqual(ids);
  });

  it.each(cases)("labels the same places of $text, to the character", async ({ text, spans }) => {
    const options = { directory, suffix: "", threads: 1, id: name, revision: name };
    const model = await LabelModel.open(options, await TextTokenizer.read(directory), await readLabels(directory));
    const found = await model.read(text);
    await model.close();
    expect(found.map(({ label, start, end }) => ({ label, text: text.slice(start, end), start, end }))).toEqual(
      spans.map(({ label, start, end }) => ({ label, text: text.slice(start, end), start, end })),
    );
    for (const [index, { score }] of spans.entries()) expect(found[index]?.score).toBeCloseTo(score, 3);
  });
});
