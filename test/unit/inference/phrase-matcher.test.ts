import { describe, expect, it } from "vitest";
import { PhraseMatcher } from "../../../src/inference/backends/builtin/text/phrase-matcher.js";
import { phraseFault } from "../../../src/inference/backends/builtin/text/phrase-pattern.js";
import { tokenize } from "../../../src/inference/backends/builtin/text/tokenizer.js";

function found(phrases: readonly string[], text: string): readonly string[] {
  const reading = tokenize(text);
  const matcher = new PhraseMatcher(phrases.map((phrase) => ({ phrase, payload: phrase })));
  return matcher
    .findAll({ ...reading, numberEnds: new Int32Array(reading.tokens.length) })
    .map(({ firstToken, endToken }) => text.slice(reading.tokens[firstToken]?.startOffset, reading.tokens[endToken - 1]?.endOffset));
}

describe("tokenize", () => {
  it("keeps the offsets of words with apostrophes and hyphens", () => {
    const text = "Ng’ombe twelve-year-old";
    const words = tokenize(text).tokens.map((token) => [token.norm, token.startOffset, token.endOffset]);
    expect(words).toEqual([
      ["ng'ombe", 0, 7],
      ["twelve", 8, 14],
      ["year", 15, 19],
      ["old", 20, 23],
    ]);
  });

  it("reads a contraction as its two words, each at its place", () => {
    const words = tokenize("I'm sure he can't").tokens.map((token) => [token.norm, token.startOffset, token.endOffset]);
    expect(words).toEqual([
      ["i", 0, 1],
      ["am", 1, 3],
      ["sure", 4, 8],
      ["he", 9, 11],
      ["can", 12, 14],
      ["not", 14, 17],
    ]);
  });

  it("ends sentences at full stops and question marks but not inside numbers", () => {
    const { sentences } = tokenize("He left at 3.30 today. Why? I know");
    expect(sentences.map(({ terminator }) => terminator)).toEqual([".", "?", ""]);
  });
});

describe("PhraseMatcher", () => {
  it("matches alternatives in one place of a phrase", () => {
    expect(found(["beat|beats me"], "he beats me they beat me she beat him")).toEqual(["beats me", "beat me"]);
  });

  it("matches inflected Swahili verbs by their ending", () => {
    expect(found(["*nipiga"], "ananipiga na alinipiga lakini anapiga simu")).toEqual(["ananipiga", "alinipiga"]);
  });

  it("lets a gap stand for up to three words and no more", () => {
    expect(found(["locked ... alone"], "locked us in alone")).toEqual(["locked us in alone"]);
    expect(found(["locked ... alone"], "locked us in the house alone")).toEqual([]);
  });

  it("finds a phrase with and without its optional word", () => {
    expect(found(["near the? church"], "near the church and near church")).toEqual(["near the church", "near church"]);
  });

  it("does not match across the end of a sentence", () => {
    expect(found(["kill me"], "They kill. Me too")).toEqual([]);
  });

  it("matches a contraction written either way", () => {
    expect(found(["i'm pregnant"], "I'm pregnant. I am pregnant")).toEqual(["I'm pregnant", "I am pregnant"]);
  });
});

describe("phraseFault", () => {
  it("accepts the forms of the phrase language", () => {
    expect(["beat|beats me", "*nipiga", "touch*", "near the? church", "a ... b", "# years"].map(phraseFault)).toEqual(Array.from({ length: 6 }, () => null));
  });

  it("names the rule a phrase breaks", () => {
    expect(phraseFault("")).toBe("a phrase must not be empty");
    expect(phraseFault("... me")).toBe("a phrase must not begin or end with a gap");
    expect(phraseFault("*ni")).toBe("a starred word needs at least three letters");
    expect(phraseFault("beat||hit")).toBe("a word holds letters, digits and apostrophes only");
  });
});
