import { describe, expect, it } from "vitest";
import type { RiskFinding } from "../../../src/core/risk.js";
import type { RecordScore, Sum } from "../../../src/evaluation/counts.js";
import { parseLabelledData } from "../../../src/evaluation/labelled-record.js";
import { makeScoreSheet } from "../../../src/evaluation/score-sheet.js";
import { entityMeasures, type FoundMention, scoreEntities } from "../../../src/evaluation/scorers/entity-scores.js";
import { labelMeasures, scoreLabel } from "../../../src/evaluation/scorers/label-scores.js";
import { riskMeasures, scoreRisk } from "../../../src/evaluation/scorers/risk-scores.js";
import { recognitionMeasures, rougeL, scoreAnswer, scoreRecognition } from "../../../src/evaluation/scorers/text-scores.js";

function valuesOf(counts: Readonly<Record<string, number>>, measures: (sum: Sum) => readonly { readonly name: string; readonly value: number | undefined }[]) {
  return Object.fromEntries(measures((key) => counts[key] ?? 0).map(({ name, value }) => [name, value]));
}

function record(json: object) {
  const [parsed] = parseLabelledData(JSON.stringify(json));
  if (parsed === undefined) throw new Error("no record");
  return parsed;
}

describe("entity scores", () => {
  const labelled = record({ text: "[Amina|NAME] and [amina|NAME] of [Kibera|LOCATION], [Nairobi|LOCATION] and [Voi|LOCATION]" });
  const at = (label: string, text: string, startOffset: number): FoundMention => ({
    label,
    text,
    segmentId: "s1",
    startOffset,
    endOffset: startOffset + text.length,
  });

  it("counts a string once a record whatever its case, and a place with its district as one", () => {
    const found = [at("NAME", "Amina", 0), at("LOCATION", "Kibera, Nairobi", 19), at("NAME", "Voi", 39)];
    const { counts, faults } = scoreEntities(labelled, found, ["NAME", "LOCATION"]);
    expect(valuesOf(counts, entityMeasures(["NAME", "LOCATION"]))).toMatchObject({
      "NAME distinct precision": 1 / 2,
      "NAME distinct recall": 1,
      "LOCATION distinct recall": 1 / 2,
      "LOCATION distinct precision": 1,
      "NAME strict F1": 2 / 4,
    });
    expect(faults).toEqual(["missed LOCATION: Voi", "wrong NAME: Voi"]);
  });

  it("asks for the exact place in strict, and for some of it in overlapping", () => {
    const { counts } = scoreEntities(record({ text: "my name is [Amina Juma|NAME]" }), [at("NAME", "Juma", 17)], ["NAME"]);
    expect(valuesOf(counts, entityMeasures(["NAME"]))).toMatchObject({ "NAME strict F1": 0, "NAME distinct F1": 0, "NAME overlapping F1": 1 });
  });
});

describe("label scores", () => {
  it("tells right, wrong and abstained apart, and how far scores are from the truth", () => {
    const counts: Record<string, number> = {};
    scoreLabel(counts, "x", "a", { label: "a", score: 0.95 });
    scoreLabel(counts, "x", "a", { label: "b", score: 0.65 });
    scoreLabel(counts, "x", "b", { label: null, score: 0 });
    scoreLabel(counts, "x", null, { label: null, score: 0 });
    const values = valuesOf(counts, labelMeasures("x", ["a", "b"]));
    expect(values["x accuracy"]).toBe(2 / 4);
    expect(values["x precision"]).toBe(1 / 2);
    expect(values["x answered"]).toBe(2 / 4);
    expect(values["x macro F1"]).toBeCloseTo((2 / 3 + 0) / 2, 12);
    expect(values["x ECE"]).toBeCloseTo((0.05 + 0.65) / 2, 12);
  });
});

describe("risk scores", () => {
  const finding = (kind: RiskFinding["kind"], level: RiskFinding["level"]): RiskFinding => ({ kind, level, score: 0.9, evidence: [], atMs: 0 });

  it("adds up what was noticed, by kind and by level, and alarms over nothing", () => {
    const scores: RecordScore[] = [
      scoreRisk(
        record({
          text: "a",
          kind: "danger",
          risks: [
            { kind: "weapons", level: "critical" },
            { kind: "threats", level: "high" },
          ],
        }),
        [finding("weapons", "high")],
      ),
      scoreRisk(record({ text: "b", kind: "scary", risks: [] }), [finding("drugs", "critical")]),
      scoreRisk(record({ text: "c", kind: "scary", risks: [] }), [finding("drugs", "medium")]),
      scoreRisk(record({ text: "d", kind: "safe", risks: [] }), []),
    ];
    const sheet = makeScoreSheet(scores, riskMeasures(["weapons", "threats"]));
    const values = Object.fromEntries(sheet.measures.map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({
      "any danger recall": 1,
      "any danger precision": 1 / 3,
      "by kind recall": 1 / 2,
      "recall of critical": 1,
      "recall of high": 0,
      "false high alerts in safe records": 1 / 3,
      "false high alerts, scary": 1 / 2,
      "false high alerts, safe": 0,
    });
    expect(sheet.worst.map(({ id }) => id)).toHaveLength(3);
  });
});

describe("text scores", () => {
  it("counts word and character errors", () => {
    const counts: Record<string, number> = {};
    scoreRecognition(counts, "He beats me.", "he beat me now");
    const values = valuesOf(counts, recognitionMeasures);
    expect(values["word error rate"]).toBeCloseTo(2 / 3, 12);
    expect(values["character error rate"]).toBeCloseTo(5 / 11, 12);
  });

  it("measures summaries by their longest common run of words", () => {
    expect(rougeL("the child is safe now", "the child is not safe")).toBeCloseTo((2 * 4) / 10, 12);
    expect(rougeL("a b", "c")).toBe(0);
  });

  it("measures answers by the words they share", () => {
    expect(scoreAnswer("my uncle Juma", "uncle juma")).toEqual({ isExact: false, f1: 4 / 5 });
    expect(scoreAnswer("Juma", "juma.")).toEqual({ isExact: true, f1: 1 });
  });
});

describe("a score sheet", () => {
  it("gives an interval around each value that narrows with more records", () => {
    const scores = (count: number): RecordScore[] =>
      Array.from({ length: count }, (_, index) => ({ id: `${index}`, counts: { right: index % 4 === 0 ? 0 : 1, all: 1 }, faults: [] }));
    const share = (sum: Sum) => [{ name: "share", value: sum("right") / sum("all"), cases: sum("all") }];
    const [few] = makeScoreSheet(scores(40), share).measures;
    const [many] = makeScoreSheet(scores(4_000), share).measures;
    expect(few?.value).toBe(0.75);
    expect(few?.low).toBeLessThan(0.75);
    expect(few?.high).toBeGreaterThan(0.75);
    // The binomial interval: 1.96 * sqrt(0.75 * 0.25 / n).
    expect((many?.high ?? 1) - (many?.low ?? 0)).toBeCloseTo(2 * 1.96 * Math.sqrt((0.75 * 0.25) / 4_000), 2);
    expect((few?.high ?? 1) - (few?.low ?? 0)).toBeGreaterThan(0.2);
  });
});
