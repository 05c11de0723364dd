import { describe, expect, it } from "vitest";
import { toWireCase } from "../../../src/protocol/wire-case.js";

describe("toWireCase", () => {
  it("writes every key in snake_case, however deep", () => {
    const inside = { callId: "c", audio: { sampleRateHz: 8_000, channels: [{ gainDb: 1, ledger: { speechMs: 5 } }] }, plain: 1, already_so: 2 };
    expect(toWireCase(inside)).toEqual({
      call_id: "c",
      audio: { sample_rate_hz: 8_000, channels: [{ gain_db: 1, ledger: { speech_ms: 5 } }] },
      plain: 1,
      already_so: 2,
    });
  });

  it("touches no value", () => {
    const values = { text: "keepThisAsItIs", list: ["alsoThis", 1, true, null], empty: {}, none: null, zero: 0, no: false };
    expect(toWireCase(values)).toEqual(values);
    expect(toWireCase("camelCase")).toBe("camelCase");
    expect(toWireCase(null)).toBeNull();
    expect(toWireCase([])).toEqual([]);
  });

  it("leaves what it was given as it was", () => {
    const given = Object.freeze({ startMs: 1, inner: Object.freeze({ endMs: 2 }) });
    expect(toWireCase(given)).not.toBe(given);
    expect(given).toEqual({ startMs: 1, inner: { endMs: 2 } });
  });
});
