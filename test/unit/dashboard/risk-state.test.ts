import { describe, expect, test } from "vitest";
import { inUrgency, isCalm, type RiskState, withAcknowledged, withRaised } from "../../../dashboard/src/state/risk-state.js";
import { finding } from "../../support/dashboard-events.js";

const raised = (kind: string, level: RiskState["finding"]["level"], atMs = 0): RiskState => ({
  finding: finding(kind, level, atMs),
  isInterim: false,
  raisedAt: "2026-01-01T10:00:00Z",
});
const seen = { by: "key:desk-4", at: "2026-01-01T10:01:00Z" };
const risksOf = (...risks: RiskState[]): readonly RiskState[] => risks.reduce<readonly RiskState[]>(withRaised, []);

describe("the risks of a call", () => {
  test("stand unseen before seen, highest first, then the earliest", () => {
    const risks = risksOf(raised("drugs", "low"), raised("threats", "critical"), raised("weapons", "high", 9), raised("abduction", "high", 2));
    const ordered = inUrgency(withAcknowledged(risks, { kind: "threats", ...seen }));
    expect(ordered.map((risk) => risk.finding.kind)).toEqual(["abduction", "weapons", "drugs", "threats"]);
  });

  test("are calm once seen, and stay so when told again at the same level", () => {
    const risks = withRaised(withAcknowledged(risksOf(raised("threats", "high")), { kind: "threats", ...seen }), raised("threats", "high"));
    expect(risks.map(isCalm)).toEqual([true]);
    expect(risks[0]?.acknowledgement?.by).toBe("key:desk-4");
  });

  test("speak up again when they have risen since they were seen", () => {
    const risen = withRaised(withAcknowledged(risksOf(raised("threats", "medium")), { kind: "threats", ...seen }), raised("threats", "critical"));
    expect(risen.map(isCalm)).toEqual([false]);
    expect(withAcknowledged(risen, { kind: "threats", ...seen }).map(isCalm)).toEqual([true]);
  });

  test("keep when they were first raised", () => {
    const again = withRaised(risksOf(raised("threats", "low")), { ...raised("threats", "low"), raisedAt: "2026-01-01T11:00:00Z" });
    expect(again[0]?.raisedAt).toBe("2026-01-01T10:00:00Z");
  });

  test("do not change by an acknowledgement of a kind that was not raised", () => {
    const risks = risksOf(raised("threats", "low"));
    expect(withAcknowledged(risks, { kind: "weapons", ...seen })).toEqual(risks);
  });
});
