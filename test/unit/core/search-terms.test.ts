/** What a text can be found by, and what a query asks for. */
import { describe, expect, it } from "vitest";
import { hasAnyTerm, parseSearchQuery, searchableWords } from "../../../src/core/text/search-terms.js";

describe("the words of a text", () => {
  it.each([
    ["Mjomba alinipiga, mjomba!", ["mjomba", "alinipiga"]],
    ["ng'ombe NG\u2019OMBE ngombe", ["ngombe"]],
    ["Wanjik\u0169 e\u0301cole \u00e9cole", ["wanjiku", "ecole"]],
    ["[NAME_1] went to [SCHOOL_12] with name", ["went", "with", "name"]],
    ["I am at no. 12, or 1195", ["1195"]],
    ["school-bag, e-mail", ["school", "bag", "mail"]],
    ["\u1230\u120b\u121d \u0633\u0644\u0627\u0645", ["\u1230\u120b\u121d", "\u0633\u0644\u0627\u0645"]],
    [`${"a".repeat(64)} ${"b".repeat(65)}`, ["a".repeat(64)]],
    ["", []],
  ])("%j are %j", (text, words) => {
    expect(searchableWords(text)).toEqual(words);
  });
});

describe("a query", () => {
  it("asks for every word, and for what begins with one that ends in a star", () => {
    expect(parseSearchQuery(" Mtoto  shul* ng'ombe")).toEqual([
      { text: "mtoto", isPrefix: false },
      { text: "shul", isPrefix: true },
      { text: "ngombe", isPrefix: false },
    ]);
  });

  it.each(["", "   ", "***", "wa", "mtoto wa shule", "ab*", "abcdefg*", "x".repeat(65), "?!"])("%j is not one", (query) => {
    expect(parseSearchQuery(query)).toBeUndefined();
  });

  it("means a word of the text, or the beginning of one", () => {
    const [whole, beginning] = [parseSearchQuery("alini") ?? [], parseSearchQuery("alini*") ?? []];
    expect([hasAnyTerm("Mjomba alinipiga", whole), hasAnyTerm("Mjomba alinipiga", beginning)]).toEqual([false, true]);
  });
});
