import { describe, expect, it } from "vitest";
import { alignTokens, type TokenSurface } from "../../../src/inference/backends/onnx/token-alignment.js";

const places = (text: string, surfaces: readonly TokenSurface[], cutsSigns = true): readonly (string | null)[] =>
  alignTokens(text, surfaces, { cutsSigns }).map((span) => (span === null ? null : `${span.start}-${text.slice(span.start, span.end)}`));

describe("where tokens stand in a text", () => {
  it("finds pieces of words in order, whatever their case and accents", () => {
    expect(places("  José NYUMBANI", ["jo", "se", "nyumba", "ni"])).toEqual(["2-Jo", "4-sé", "7-NYUMBA", "13-NI"]);
  });

  it("gives the second of two equal words its own place", () => {
    expect(places("no, no", ["no", ",", "no"])).toEqual(["0-no", "2-,", "4-no"]);
  });

  it("counts characters outside the basic plane as the two units they are", () => {
    expect(places("😀 sawa", [undefined, "sawa"])).toEqual(["0-😀", "3-sawa"]);
  });

  it("lets an unknown token have what lies before the next, and signs one by one", () => {
    expect(places("漢字 a", [undefined, undefined, "a"])).toEqual(["0-漢", "1-字", "3-a"]);
    expect(places("漢字 a", [undefined, "a"], false)).toEqual(["0-漢字", "3-a"]);
  });

  it("goes on after a token that is nowhere in the text", () => {
    expect(places("mama yake", ["mama", "baba", "yake"])).toEqual(["0-mama", null, "5-yake"]);
  });

  it("keeps a letter that becomes two in its one place", () => {
    expect(places("ﬁne", ["fi", "ne"])).toEqual(["0-ﬁ", "1-ne"]);
  });
});
