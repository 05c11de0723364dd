import { describe, expect, it } from "vitest";
import { isReadingDue, mergeEntities, steadyClassification } from "../../../src/analysis/live/progressive-policy.js";
import type { CaseClassification, LabelDecision, Priority } from "../../../src/core/case-classification.js";
import type { Entity } from "../../../src/core/entity.js";

const decision = <Label extends string>(label: Label | null, score = 0.5): LabelDecision<Label> => ({ label, score, evidence: [] });
const classification = (main: string | null, sub: string | null, options: { score?: number; priority?: Priority } = {}): CaseClassification => ({
  contactType: decision("counselling"),
  mainCategory: decision(main, options.score ?? 0.5),
  subCategory: decision(sub, options.score ?? 0.5),
  intervention: decision(null, 0),
  priority: decision(options.priority ?? "low"),
});
const entity = (text: string, label: Entity["label"]): Entity => ({ label, text, score: 0.8, mentions: [] });

describe("progressive analysis", () => {
  it("reads again after 150 new characters and 30 seconds, and not before", () => {
    expect(isReadingDue({ newCharacters: 150, sinceLastMs: 30_000, hasNewRisk: false })).toBe(true);
    expect(isReadingDue({ newCharacters: 149, sinceLastMs: 90_000, hasNewRisk: false })).toBe(false);
    expect(isReadingDue({ newCharacters: 900, sinceLastMs: 29_999, hasNewRisk: false })).toBe(false);
  });

  it("reads at once when a risk was raised", () => {
    expect(isReadingDue({ newCharacters: 1, sinceLastMs: 1, hasNewRisk: true })).toBe(true);
  });

  it("keeps what was found before, under one label a string, the newer one", () => {
    const merged = mergeEntities([entity("Amina", "NAME"), entity("Kisumu", "LOCATION")], [entity("amina", "VICTIM")]);
    expect(merged.map(({ label, text }) => `${label} ${text}`)).toEqual(["VICTIM amina", "LOCATION Kisumu"]);
  });

  it("shows the first classification as it is found", () => {
    const found = classification("Violence", "Physical");
    expect(steadyClassification(undefined, undefined, found)).toBe(found);
  });

  it("does not change a label for one slightly better guess, and does when it is found twice", () => {
    const shown = classification("Violence", "Physical");
    const other = classification("Neglect", "Food", { score: 0.6 });
    expect(steadyClassification(shown, shown, other).mainCategory.label).toBe("Violence");
    expect(steadyClassification(shown, shown, other).subCategory.label).toBe("Physical");
    const twice = steadyClassification(shown, other, other);
    expect([twice.mainCategory.label, twice.subCategory.label]).toEqual(["Neglect", "Food"]);
  });

  it("changes at once for clearly better evidence, main category and sub-category together", () => {
    const changed = steadyClassification(classification("Violence", "Physical"), undefined, classification("Neglect", "Food", { score: 0.7 }));
    expect([changed.mainCategory.label, changed.subCategory.label]).toEqual(["Neglect", "Food"]);
  });

  it("fills a label in as soon as there is one", () => {
    expect(steadyClassification(classification(null, null), undefined, classification("Neglect", "Food")).mainCategory.label).toBe("Neglect");
  });

  it("raises the priority at once and lowers it only on repeated evidence", () => {
    const low = classification("Violence", "Physical", { priority: "low" });
    const critical = classification("Violence", "Physical", { priority: "critical" });
    expect(steadyClassification(low, low, critical).priority.label).toBe("critical");
    expect(steadyClassification(critical, critical, low).priority.label).toBe("critical");
    expect(steadyClassification(critical, low, low).priority.label).toBe("low");
  });
});
