/** What would lower a danger: written of every kind, and said of every finding, whichever engine found it. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadRiskGuidance, withRiskGuidance } from "../../../src/app/casework/risk-guidance.js";
import { RISK_KINDS, type RiskKind } from "../../../src/core/risk.js";
import type { ModelEngine } from "../../../src/inference/model-engine.js";
import type { RiskOutput } from "../../../src/inference/risk-detector.js";
import { toWireCase } from "../../../src/protocol/wire-case.js";
import { ROOT } from "../../support/source-tree.js";

const signal = new AbortController().signal;

function finderOf(...kinds: readonly RiskKind[]): ModelEngine {
  const risks = kinds.map((kind) => ({ kind, level: "high" as const, score: 0.9, evidence: [], atMs: 0 }));
  return { description: { modelTask: "risk", engine: "any", revision: "1", capabilities: {} }, run: async () => ({ risks }) } as unknown as ModelEngine;
}

describe("what would lower a danger", () => {
  it("is written of every kind, in both languages alike", async () => {
    const guidance = await loadRiskGuidance(join(ROOT, "data"));
    expect([...guidance.keys()].sort()).toEqual([...RISK_KINDS].sort());
    for (const lowering of guidance.values()) {
      expect(Object.keys(lowering)).toEqual(["en", "sw"]);
      expect(lowering["sw"]).toHaveLength(lowering["en"]?.length ?? 0);
    }
  });

  it("is said of the findings of any engine, and goes out as it is written", async () => {
    const loweredBy = { en: ["Help has come"], sw: ["Msaada umefika"] };
    const [engine] = withRiskGuidance([finderOf("weapons", "threats")], new Map([["weapons", loweredBy]]));
    const { risks } = (await (engine as ModelEngine).run({ segments: [] }, { signal })) as RiskOutput;
    expect(risks.map(({ kind, loweredBy: own }) => [kind, own])).toEqual([
      ["weapons", loweredBy],
      ["threats", undefined],
    ]);
    expect(toWireCase(risks)).toMatchObject([{ lowered_by: loweredBy }, { kind: "threats" }]);
  });

  it("leaves engines of other tasks as they are", () => {
    const other = { description: { modelTask: "summary" }, run: async () => ({}) } as unknown as ModelEngine;
    expect(withRiskGuidance([other], new Map())[0]).toBe(other);
  });
});
