import { describe, expect, it } from "vitest";
import type { RiskFinding } from "../../../src/core/risk.js";
import type { Channel } from "../../../src/core/transcript.js";
import { callOf, runBuiltin } from "./builtin-call.js";

async function risksOf(...lines: readonly (readonly [Channel, string])[]): Promise<readonly RiskFinding[]> {
  return (await runBuiltin("risk", { segments: callOf(...lines) })).risks;
}

describe("builtin risk detector", () => {
  it("raises one finding per kind at the time of its first words", async () => {
    const risks = await risksOf(["agent", "hello"], ["caller", "i want to kill myself"], ["caller", "i want to die"]);
    expect(risks.map(({ kind, level, atMs }) => [kind, level, atMs])).toEqual([["suicide_self_harm", "critical", 6904]]);
    expect(risks[0]?.evidence.map(({ text }) => text)).toEqual(["kill myself", "want to die"]);
  });

  it("keeps a wish not to live although it is worded as a denial", async () => {
    const risks = await risksOf(["caller", "I don't want to live anymore"]);
    expect(risks.map(({ kind }) => kind)).toEqual(["suicide_self_harm"]);
  });

  it("hears Swahili", async () => {
    const risks = await risksOf(["caller", "mjomba alinibaka na sasa nataka kufa"]);
    expect(risks.map(({ kind }) => kind)).toEqual(["suicide_self_harm", "sexual_violence"]);
  });

  it("is not raised by a denial", async () => {
    expect((await risksOf(["caller", "nobody touches me and he never hit me"])).filter(({ level }) => level !== "low")).toEqual([]);
    expect((await risksOf(["caller", "hajanipiga na hakuna anayenibaka"])).filter(({ level }) => level !== "low")).toEqual([]);
  });

  it("hears a new statement after a denial of something else", async () => {
    const risks = await risksOf(["caller", "i cannot rest he beats me"]);
    expect(risks.map(({ kind }) => kind)).toEqual(["physical_violence"]);
  });

  it("is not raised by the counsellor's question alone", async () => {
    expect(await risksOf(["agent", "Does he beat you?"], ["caller", "No, he does not."])).toEqual([]);
  });

  it("is raised when the caller says yes to the counsellor's question", async () => {
    const risks = await risksOf(["agent", "Does he beat you?"], ["caller", "Yes."]);
    expect(risks.map(({ kind }) => kind)).toEqual(["physical_violence"]);
    expect(risks[0]?.evidence.map(({ segmentId, text }) => [segmentId, text])).toEqual([
      ["s0", "beat you"],
      ["s1", "Yes"],
    ]);
  });

  it("is raised when the caller says ndiyo to a Swahili question", async () => {
    const risks = await risksOf(["agent", "je baba anakupiga"], ["caller", "ndiyo"]);
    expect(risks.map(({ kind }) => kind)).toEqual(["physical_violence"]);
  });

  it("counts what is only asked about as a weak sign", async () => {
    const risks = await risksOf(["caller", "what happens if he beats me"]);
    expect(risks.map(({ kind, level }) => [kind, level])).toEqual([["physical_violence", "low"]]);
  });

  it("does not hear drink in the Swahili word for understanding", async () => {
    expect(await risksOf(["caller", "sijaelewa swali lakini sasa naelewa"])).toEqual([]);
  });

  it("puts the highest level first", async () => {
    const risks = await risksOf(["caller", "he is always drunk and he raped my sister"]);
    expect(risks[0]).toMatchObject({ kind: "sexual_violence", level: "critical" });
    expect(risks.map(({ kind }) => kind)).toContain("drugs");
    const order = ["critical", "high", "medium", "low"];
    expect(risks.map(({ level }) => order.indexOf(level))).toEqual(risks.map(({ level }) => order.indexOf(level)).sort((one, other) => one - other));
  });
});
