import { describe, expect, it } from "vitest";
import { parseLabelledData, recordsWith } from "../../../src/evaluation/labelled-record.js";
import { damageRecords } from "../../../src/evaluation/text/damaged-record.js";

const line = (record: object): string => JSON.stringify(record);

describe("labelled data", () => {
  it("reads marks out of turns, and offsets fit the text without them", () => {
    const [record] = parseLabelledData(
      line({
        id: "d1",
        language: "mixed",
        turns: [
          { speaker: "counsellor", text: "Hello" },
          { speaker: "caller", text: "Ni [Amina|VICTIM:name], miaka [kumi|AGE]." },
        ],
      }),
    );
    expect(record?.segments.map(({ id, channel, text }) => [id, channel, text])).toEqual([
      ["s1", "agent", "Hello"],
      ["s2", "caller", "Ni Amina, miaka kumi."],
    ]);
    expect(record?.marks).toEqual([
      { segmentId: "s2", startOffset: 3, endOffset: 8, label: "VICTIM", flags: ["name"], said: "Amina" },
      { segmentId: "s2", startOffset: 16, endOffset: 20, label: "AGE", flags: [], said: "kumi" },
    ]);
  });

  it("reads entities beside a text, where brackets are only brackets", () => {
    const [record] = parseLabelledData(line({ text: "[Amina|NAME] here", entities: [{ start: 1, end: 6, label: "NAME", text: "Amina" }] }));
    expect(record?.id).toBe("line 1");
    expect(record?.segments[0]?.text).toBe("[Amina|NAME] here");
    expect(record?.marks.map(({ said }) => said)).toEqual(["Amina"]);
  });

  it.each([
    ["{", "is not JSON"],
    [line({ turns: [{ speaker: "nobody", text: "x" }] }), "speaker"],
    [line({ text: "short", entities: [{ start: 2, end: 9, label: "NAME" }] }), "outside its text"],
    [line({ text: "x", risks: [{ kind: "threats", level: "dire" }] }), "risks.0.level"],
  ])("names the line of %s and says nothing of its words", (bad, fault) => {
    const data = `${line({ text: "Wanjiru is fine" })}\n\n${bad}`;
    expect(() => parseLabelledData(data)).toThrow(expect.objectContaining({ code: "EVALUATION_DATA_INVALID", message: expect.stringMatching(/^Line 3 /) }));
    expect(() => parseLabelledData(data)).toThrow(fault);
  });

  it("refuses data that hold nothing, or nothing to measure by", () => {
    expect(() => parseLabelledData("\n\n")).toThrow(expect.objectContaining({ code: "EVALUATION_DATA_INVALID" }));
    expect(() => recordsWith(parseLabelledData(line({ text: "x" })), "risks")).toThrow("risks");
  });
});

describe("a damaged copy", () => {
  const records = parseLabelledData(
    line({ turns: [{ speaker: "caller", text: "I'm [Amina|NAME:name], from [Dar es Salaam|LOCATION]! Help... me? [0712-345-678|PHONE_NUMBER]" }] }),
  );
  const markedWords = (of: typeof records): readonly (string | undefined)[] =>
    (of[0]?.marks ?? []).map(({ segmentId, startOffset, endOffset }) => of[0]?.segments.find(({ id }) => id === segmentId)?.text.slice(startOffset, endOffset));

  it("has no capitals and no punctuation, and its marks still stand on their words", () => {
    const bare = damageRecords(records, { isBare: true, wordErrorRate: 0 });
    expect(bare[0]?.segments[0]?.text).toMatch(/^i'm amina\s+from dar es salaam\s+help\s+me\s+0712 345 678$/);
    expect(markedWords(bare)).toEqual(["amina", "dar es salaam", "0712 345 678"]);
    expect(bare[0]?.marks[0]?.said).toBe("Amina");
  });

  it("has about as many wrong words as asked for, the same ones every time", () => {
    const many = parseLabelledData(line({ text: Array.from({ length: 2_000 }, (_, index) => `word${index % 50}`).join(" ") }));
    const once = damageRecords(many, { isBare: false, wordErrorRate: 0.3 });
    const words = new Set(many[0]?.segments[0]?.text.split(" "));
    const heard = once[0]?.segments[0]?.text.split(" ") ?? [];
    expect(once).toEqual(damageRecords(many, { isBare: false, wordErrorRate: 0.3 }));
    expect(heard.filter((word) => !words.has(word)).length).toBeGreaterThan(100);
    expect(Math.abs(heard.length - 2_000)).toBeLessThan(150);
  });

  it("is the record itself when nothing is to be damaged", () => {
    expect(markedWords(damageRecords(records, { isBare: false, wordErrorRate: 0 }))).toEqual(["Amina", "Dar es Salaam", "0712-345-678"]);
  });
});
