import { describe, expect, it } from "vitest";
import { chooseNext, type RecognitionCandidate } from "../../../src/analysis/live/recognition-policy.js";

const NOW_MS = 100_000;
const candidate = (changes: Partial<RecognitionCandidate>): RecognitionCandidate => ({
  ...{ callId: "a", kind: "final", dueSinceMs: NOW_MS, servedAtMs: 0, hasRisk: false },
  ...changes,
});
const FREE = { slots: 2, busy: 0 };

describe("the recognition policy", () => {
  it("serves a final before any interim, however long that has waited", () => {
    const final = candidate({ callId: "b", servedAtMs: 99_000 });
    expect(chooseNext([candidate({ kind: "interim", dueSinceMs: 0 }), final], FREE, NOW_MS)).toBe(final);
  });

  it("serves calls with a risk first among finals, and first among interims", () => {
    for (const kind of ["final", "interim"] as const) {
      const urgent = candidate({ callId: "b", kind, hasRisk: true, servedAtMs: 99_000 });
      expect(chooseNext([candidate({ kind, dueSinceMs: 95_000 }), urgent], FREE, NOW_MS)).toBe(urgent);
    }
  });

  it("lets no final starve behind calls with a risk", () => {
    const waited = candidate({ dueSinceMs: NOW_MS - 10_001 });
    expect(chooseNext([candidate({ callId: "b", hasRisk: true }), waited], FREE, NOW_MS)).toBe(waited);
    const longer = candidate({ callId: "c", dueSinceMs: NOW_MS - 20_000 });
    expect(chooseNext([waited, longer], FREE, NOW_MS)).toBe(longer);
  });

  it("takes turns among calls, and the older speech within a turn", () => {
    const quiet = candidate({ callId: "quiet", servedAtMs: 10, dueSinceMs: NOW_MS });
    const busy = candidate({ callId: "busy", servedAtMs: 20, dueSinceMs: NOW_MS - 5_000 });
    expect(chooseNext([busy, quiet], FREE, NOW_MS)).toBe(quiet);
    const older = candidate({ servedAtMs: 10, dueSinceMs: NOW_MS - 1 });
    expect(chooseNext([quiet, older], FREE, NOW_MS)).toBe(older);
  });

  it("leaves a slot free of interims where there are several, and serves nobody when none is free", () => {
    const interim = candidate({ kind: "interim" });
    expect(chooseNext([interim], { slots: 2, busy: 1 }, NOW_MS)).toBeUndefined();
    expect(chooseNext([interim], { slots: 1, busy: 0 }, NOW_MS)).toBe(interim);
    expect(chooseNext([interim, candidate({})], { slots: 2, busy: 1 }, NOW_MS)?.kind).toBe("final");
    expect(chooseNext([candidate({})], { slots: 2, busy: 2 }, NOW_MS)).toBeUndefined();
    expect(chooseNext([], FREE, NOW_MS)).toBeUndefined();
  });

  it("gives an interim that waited for 0.8 s the last slot, unless a final is there", () => {
    const waited = candidate({ kind: "interim", dueSinceMs: NOW_MS - 800 });
    expect(chooseNext([waited], { slots: 2, busy: 1 }, NOW_MS)).toBe(waited);
    expect(chooseNext([candidate({ kind: "interim", dueSinceMs: NOW_MS - 799 })], { slots: 2, busy: 1 }, NOW_MS)).toBeUndefined();
    expect(chooseNext([waited, candidate({})], { slots: 2, busy: 1 }, NOW_MS)?.kind).toBe("final");
    expect(chooseNext([waited], { slots: 2, busy: 2 }, NOW_MS)).toBeUndefined();
  });

  it("serves every call equally often when all speak without end", () => {
    const served = new Map<string, number>();
    const callIds = ["a", "b", "c", "d"];
    const lastServed = new Map<string, number>();
    for (let turn = 1; turn <= 400; turn++) {
      const waiting = callIds.map((callId) => candidate({ callId, servedAtMs: lastServed.get(callId) ?? 0, dueSinceMs: turn }));
      const next = chooseNext(waiting, FREE, turn);
      if (next === undefined) continue;
      lastServed.set(next.callId, turn);
      served.set(next.callId, (served.get(next.callId) ?? 0) + 1);
    }
    expect([...served.values()]).toEqual([100, 100, 100, 100]);
  });
});
