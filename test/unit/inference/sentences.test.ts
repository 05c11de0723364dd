import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitSentences } from "../../../src/inference/backends/seq2seq/sentences.js";

describe("sentences for a translation model", () => {
  it("are cut after full stops and questions, also inside quotes", () => {
    expect(splitSentences('Mtoto analia. "Uko wapi?" Niko nyumbani… sawa')).toEqual(["Mtoto analia.", '"Uko wapi?"', "Niko nyumbani…", "sawa"]);
    expect(splitSentences("Bei ni 3.5 tu")).toEqual(["Bei ni 3.5 tu"]);
    expect(splitSentences("  ")).toEqual([]);
  });

  it("are at most 40 words long, in parts of about one length", () => {
    const parts = splitSentences(Array.from({ length: 81 }, (_, index) => `w${index}`).join(" "));
    expect(parts.map((part) => part.split(" ").length)).toEqual([27, 27, 27]);
  });

  it("lose no word and change none, whatever the text", () => {
    const words = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== "");
    const anyText = fc.string({ unit: fc.constantFrom(...'ab .!?\n"’é') });
    fc.assert(
      fc.property(anyText, (text) => {
        expect(words(splitSentences(text).join(" "))).toEqual(words(text));
      }),
    );
  });
});
