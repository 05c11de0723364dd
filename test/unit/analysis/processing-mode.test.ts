import { describe, expect, it } from "vitest";
import { isHeardAgain, isHeardLive } from "../../../src/analysis/live/processing-mode.js";
import { PROCESSING_MODES, toProcessingMode } from "../../../src/core/call.js";

const CALM = { hasRisk: false, failedMs: 0, durationMs: 10_000 };

describe("processing modes", () => {
  it("become text live in every mode but post_call", () => {
    expect(PROCESSING_MODES.filter(isHeardLive)).toEqual(["realtime", "both", "adaptive"]);
  });

  it("have the recording heard again by mode", () => {
    expect(isHeardAgain("realtime", { ...CALM, hasRisk: true })).toBe(false);
    expect(isHeardAgain("post_call", CALM)).toBe(true);
    expect(isHeardAgain("both", CALM)).toBe(true);
  });

  it("adapt to what the call was: short, calm and heard whole needs nothing more", () => {
    expect(isHeardAgain("adaptive", CALM)).toBe(false);
    expect(isHeardAgain("adaptive", { ...CALM, hasRisk: true })).toBe(true);
    expect(isHeardAgain("adaptive", { ...CALM, failedMs: 1 })).toBe(true);
    expect(isHeardAgain("adaptive", { ...CALM, durationMs: 30_000 })).toBe(true);
  });

  it("go by the older service's names too, and any other name is none", () => {
    const names = ["streaming", "dual", "realtime_only", "postcall_only", "hybrid", "adaptive"];
    expect(names.map(toProcessingMode)).toEqual(["realtime", "both", "realtime", "post_call", "both", "adaptive"]);
    expect(toProcessingMode("toString")).toBe("toString");
  });
});
