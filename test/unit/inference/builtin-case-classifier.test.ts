import { describe, expect, it } from "vitest";
import type { CaseClassification } from "../../../src/core/case-classification.js";
import type { Channel } from "../../../src/core/transcript.js";
import { callOf, runBuiltin } from "./builtin-call.js";

async function classify(...lines: readonly (readonly [Channel, string])[]): Promise<CaseClassification> {
  return (await runBuiltin("classification", { segments: callOf(...lines) })).classification;
}

describe("builtin case classifier", () => {
  it("lets the sub-category imply its main category", async () => {
    const { mainCategory, subCategory } = await classify(["caller", "my stepmother beats me with a belt"]);
    expect(subCategory.label).toBe("Physical Abuse");
    expect(mainCategory.label).toBe("VANE");
  });

  it("abstains with a score of zero when nothing is told", async () => {
    const abstained = { label: null, score: 0, evidence: [] };
    const result = await classify(["mixed", "the bus was late this morning"]);
    expect(result).toEqual({
      contactType: abstained,
      mainCategory: abstained,
      subCategory: abstained,
      intervention: abstained,
      priority: abstained,
    });
  });

  it("tells by a sentence or two what a call is about, also without a cue phrase, and how it knows", async () => {
    const { mainCategory, subCategory } = await classify([
      "caller",
      "The father of my child has refused to send school fees and food money since he married again",
    ]);
    expect([mainCategory.label, subCategory.label]).toEqual(["Child Maintenance & Custody", "Maintenance"]);
    expect(subCategory.evidence.length).toBeGreaterThan(0);
  });

  it.each([
    [["agent", "Child helpline good morning my name is Asha how can I help you today"] as const, ["caller", "hello"] as const],
    [["caller", "hello hello can you hear me the network is very bad today please wait"] as const],
    [["agent", "has anyone beaten you or touched you in a bad way at home or at school"] as const, ["caller", "no"] as const],
  ])("finds no case in how a call begins: %s", async (...lines) => {
    const { mainCategory, subCategory } = await classify(...lines);
    expect([mainCategory.label, subCategory.label]).toEqual([null, null]);
  });

  it("does not count what is denied in English", async () => {
    expect((await classify(["caller", "nobody beats me at home"])).subCategory.label).toBeNull();
  });

  it("does not count what is denied in Swahili", async () => {
    expect((await classify(["caller", "hakuna anayenipiga nyumbani"])).subCategory.label).toBeNull();
    expect((await classify(["caller", "baba hajanipiga"])).subCategory.label).toBeNull();
  });

  it("does not take the counsellor's question for a statement", async () => {
    const { subCategory } = await classify(["agent", "has anyone raped you or beaten you"], ["caller", "no"]);
    expect(subCategory.label).toBeNull();
  });

  it("classifies Swahili without capitals", async () => {
    const { subCategory, priority } = await classify(["caller", "wazazi wangu wanataka kuniozesha kwa mzee"]);
    expect(subCategory.label).toBe("Child Marriage");
    expect(priority.label).toBe("critical");
  });

  it("tells violence by a husband from abuse of a child", async () => {
    const { mainCategory, subCategory } = await classify(["caller", "my husband beats me"]);
    expect([mainCategory.label, subCategory.label]).toEqual(["GBV", "Physical Violence"]);
  });

  it("keeps the two legal labels apart by their main category", async () => {
    const { mainCategory, subCategory } = await classify(["caller", "what does the law say please, is it legal"]);
    expect([mainCategory.label, subCategory.label]).toEqual(["Information", "Legal Issues (Information)"]);
  });

  it("gives a silent call no category", async () => {
    const result = await classify(["agent", "Hello, can you hear me?"], ["agent", "You are silent."]);
    expect(result.contactType.label).toBe("silent");
    expect(result.contactType.evidence.map(({ text }) => text)).toEqual(["can you hear me", "You are silent"]);
    expect(result.subCategory.label).toBeNull();
  });

  it("gives a prank call no category, and a priority that lets it wait", async () => {
    const { contactType, mainCategory, priority } = await classify(["caller", "i was just joking i want to order pizza"]);
    expect([contactType.label, mainCategory.label, priority.label]).toEqual(["prank", null, "low"]);
    expect(priority.evidence).toEqual(contactType.evidence);
  });

  it("lets neither a joke with a danger in it wait, nor a caller who says nothing", async () => {
    const joking = await classify(["caller", "i was just joking i want to order pizza"], ["caller", "he has a knife and says he will kill me tonight"]);
    expect(joking.priority.label).not.toBe("low");
    const silent = await classify(["agent", "Hello, can you hear me?"], ["agent", "You are silent."]);
    expect(silent.priority.label).toBeNull();
  });

  it("tells a wish to know from a case", async () => {
    const { contactType, priority } = await classify(["caller", "nataka kujua huduma gani mnatoa"]);
    expect([contactType.label, priority.label]).toEqual(["information", "low"]);
  });

  it("reads the intervention from the counsellor and not from the caller", async () => {
    const told = await classify(["agent", "I will refer you to the children's officer."]);
    const asked = await classify(["caller", "I will refer you to the children's officer."]);
    expect([told.intervention.label, asked.intervention.label]).toEqual(["Referral", null]);
  });

  it("weighs the past less than the present", async () => {
    const present = await classify(["caller", "my uncle beats me"]);
    const past = await classify(["caller", "years ago my uncle beats me"]);
    expect(past.subCategory.score).toBeLessThan(present.subCategory.score);
  });
});
