/** Which segments count, and how, when the language of segments is measured. */
import { describe, expect, it } from "vitest";
import { prepareEvaluation } from "../../../src/evaluation/evaluation-tasks.js";
import { parseLabelledData } from "../../../src/evaluation/labelled-record.js";
import { makeScoreSheet } from "../../../src/evaluation/score-sheet.js";

const turn = (text: string, language?: string) => ({ speaker: "caller", text, ...(language === undefined ? {} : { language }) });
const records = [
  { id: "u1", language: "mixed", text: "one two three four five six seven eight" },
  { id: "u2", language: "en", text: "one two three" },
  { id: "c1", language: "sw", turns: [turn("moja"), turn("moja mbili tatu"), turn("one two three", "en"), turn("...")] },
  { id: "c2", language: "mixed", turns: [turn("not told of this one turn"), turn("moja mbili tatu nne", "sw")] },
  { id: "c3", language: "mixed", turns: [turn("nothing told of any turn")] },
];

/** What an engine answers, by segment; the rest is Swahili. */
function sheetOf(answers: Readonly<Record<string, string>>) {
  const task = prepareEvaluation("language", parseLabelledData(records.map((record) => JSON.stringify(record)).join("\n")));
  const scores = task.records.map((record) => {
    const [input] = task.inputsOf(record);
    const { segments } = input as { readonly segments: readonly { readonly id: string; readonly language: string }[] };
    expect(segments.every(({ language }) => language === "und")).toBe(true);
    return task.score(record, [{ segments: segments.map(({ id }) => ({ segmentId: id, language: answers[`${record.id} ${id}`] ?? "sw" })) } as never]);
  });
  return makeScoreSheet(scores, task.measuresOf);
}

describe("the measure of languages", () => {
  it("counts segments that are labelled, by length, and leaves out those of a mixed call that are not", () => {
    const { measures, records: count } = sheetOf({ "u1 s1": "mixed", "u2 s1": "mixed", "c1 s3": "en" });
    expect(count).toBe(4);
    expect(Object.fromEntries(measures.map(({ name, value, cases }) => [name, [value, cases]]))).toEqual({
      "accuracy, 3 words and more": [4 / 5, 5],
      "accuracy, 3 to 7 words": [3 / 4, 4],
      "accuracy, 8 words and more": [1, 1],
      "accuracy, under 3 words": [1, 1],
      "recall of en": [1 / 2, 2],
      "precision of en": [1, 1],
      "recall of mixed": [1, 1],
      "precision of mixed": [1 / 2, 2],
      "recall of sw": [1, 2],
      "precision of sw": [1, 2],
    });
  });

  it("says what was taken for what, and where", () => {
    const { confusions, worst } = sheetOf({ "u1 s1": "mixed", "u2 s1": "mixed" });
    expect(confusions).toEqual([
      { wanted: "en", given: "mixed", count: 1 },
      { wanted: "en", given: "sw", count: 1 },
    ]);
    expect(worst).toEqual([
      { id: "u2", faults: ["s1: en, not mixed"] },
      { id: "c1", faults: ["s3: en, not sw"] },
    ]);
  });

  it("needs records with a language", () => {
    expect(() => prepareEvaluation("language", parseLabelledData(JSON.stringify({ text: "a b c" })))).toThrow(
      expect.objectContaining({ code: "EVALUATION_DATA_INVALID" }),
    );
  });
});
