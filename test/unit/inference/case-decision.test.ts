/** From what heads believe to one case that does not contradict itself. */
import { describe, expect, it } from "vitest";
import { decideCategories, decideLabel, decidePriority, type HeadBelief } from "../../../src/inference/backends/text-classification/case-decision.js";

const TAXONOMY = {
  mainCategories: [
    { label: "GBV", subCategories: ["Physical Violence", "Legal issues (GBV)"] },
    { label: "Nutrition", subCategories: ["Malnutrition", "Legal issues (Nutrition)"] },
  ],
  interventions: ["Counselling", "Referral"],
};

const belief = (scores: Readonly<Record<string, number>>, priorities = {}): HeadBelief => ({
  settings: { labels: Object.keys(scores), threshold: 0.5, priorities },
  scores: Object.values(scores),
});

describe("categories", () => {
  it("takes the sub-category whose main category is believed too", () => {
    const sub = belief({ "Physical Violence": 0.52, Malnutrition: 0.48 });
    const decided = decideCategories(TAXONOMY, belief({ GBV: 0.1, Nutrition: 0.9 }), { ...sub, settings: { ...sub.settings, threshold: 0.4 } });
    expect(decided.subCategory?.label).toBe("Malnutrition");
    expect(decided.mainCategory).toMatchObject({ label: "Nutrition", score: 0.9 });
  });

  it("never says a sub-category and another's main category", () => {
    const decided = decideCategories(TAXONOMY, belief({ GBV: 0.55, Nutrition: 0.45 }), belief({ "Physical Violence": 0.05, Malnutrition: 0.95 }));
    expect([decided.mainCategory?.label, decided.subCategory?.label]).toEqual(["Nutrition", "Malnutrition"]);
  });

  it("tells by the main category which of two sub-categories of one name is meant", () => {
    const decided = decideCategories(TAXONOMY, belief({ GBV: 0.2, Nutrition: 0.8 }), belief({ "legal ISSUES": 0.9, Malnutrition: 0.1 }));
    expect(decided.subCategory?.label).toBe("Legal issues (Nutrition)");
  });

  it("has only a main category when no sub-category is believed", () => {
    const decided = decideCategories(TAXONOMY, belief({ GBV: 0.8, Nutrition: 0.2 }), belief({ "Physical Violence": 0.4, Malnutrition: 0.3, Other: 0.3 }));
    expect(decided).toMatchObject({ mainCategory: { label: "GBV" }, subCategory: undefined });
  });

  it("has none at all when nothing is believed", () => {
    const decided = decideCategories(TAXONOMY, belief({ GBV: 0.4, Nutrition: 0.3, Information: 0.3 }), belief({ Malnutrition: 0.4, Other: 0.6 }));
    expect(decided.subCategory?.label).toBe("Other");
    expect(decided.mainCategory).toBeUndefined();
  });

  it("implies the main category for a model that has no head for it", () => {
    const decided = decideCategories(TAXONOMY, undefined, belief({ "Physical Violence": 0.9, Malnutrition: 0.1 }));
    expect(decided.mainCategory).toMatchObject({ label: "GBV", score: 0.9 });
  });
});

describe("other heads", () => {
  it("spells a label as the taxonomy does, and leaves one it does not know", () => {
    expect(decideLabel(TAXONOMY.interventions, belief({ "counselling ": 0.9, x: 0.1 }))?.label).toBe("Counselling");
    expect(decideLabel(TAXONOMY.interventions, belief({ "Rescue and placement": 0.9, x: 0.1 }))?.label).toBe("Rescue and placement");
    expect(decideLabel(TAXONOMY.interventions, belief({ Counselling: 0.4, Referral: 0.35, x: 0.25 }))).toBeUndefined();
  });

  it("never guesses what a bare number means", () => {
    expect(decidePriority(belief({ "1": 0.1, "2": 0.1, "3": 0.8 }))).toBeUndefined();
    expect(decidePriority(belief({ "1": 0.1, "2": 0.1, "3": 0.8 }, { "1": "low", "2": "medium", "3": "high" }))?.label).toBe("high");
    expect(decidePriority(belief({ Urgent: 0.9, low: 0.1 }))?.label).toBe("critical");
  });
});
