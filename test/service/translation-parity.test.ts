/** Translation models against Python's transformers on the same tiny weights: every token in, every token out. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TextTokenizer } from "../../src/inference/backends/onnx/text-tokenizer.js";
import { encodeFor } from "../../src/inference/backends/seq2seq/model-translator.js";
import { Seq2SeqModel } from "../../src/inference/backends/seq2seq/seq2seq-model.js";
import { languageTokens } from "../../src/inference/backends/seq2seq/translation-languages.js";
import { modelFixture, TRANSLATION_FIXTURES } from "../support/model-fixtures.js";

interface Parity {
  readonly newTokens: number;
  readonly cases: readonly {
    readonly text: string;
    readonly source: string;
    readonly target: string;
    readonly ids: readonly number[];
    readonly tokens: readonly number[];
    readonly translation: string;
  }[];
}

describe.each(TRANSLATION_FIXTURES)("%s", (name) => {
  const { cases, newTokens } = JSON.parse(readFileSync(modelFixture(`${name}.parity.json`), "utf8")) as Parity;
  let model: Seq2SeqModel;
  let tokenizer: TextTokenizer;
  beforeAll(async () => {
    tokenizer = await TextTokenizer.read(modelFixture(name));
    model = await Seq2SeqModel.open({ directory: modelFixture(name), suffix: "", threads: 1 });
  });
  afterAll(() => model.close());

  it.each(cases)("$source to $target: $text", async ({ text, source, target, ids, tokens, translation }) => {
    const languages = languageTokens((token) => tokenizer.idOf(token), tokenizer.marks);
    const { firstId, ...encoded } = encodeFor(model.settings, { tokenizer, languages }, { sentence: text, source, target });
    expect(encoded.ids).toEqual(ids);
    // The forced first token counts in Python.
    const maxTokens = firstId === undefined ? newTokens : newTokens - 1;
    const written = await model.write(ids, { maxTokens, signal: new AbortController().signal, ...(firstId === undefined ? {} : { firstId }) });
    expect(written).toEqual(tokens);
    expect(tokenizer.decode(written)).toBe(translation.trim());
  });
});
