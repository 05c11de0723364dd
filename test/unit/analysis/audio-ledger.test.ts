import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordingLedger } from "../../../src/analysis/audio-ledger.js";
import { sumLedgers } from "../../../src/core/analysis-result.js";

/** Sorted, disjoint spans; the last may run past the end, as a detector's last frame does. */
const callArbitrary = fc
  .record({
    lengths: fc.array(fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 1, max: 20_000 }), fc.boolean()), { maxLength: 20 }),
    restMs: fc.integer({ min: -500, max: 10_000 }),
  })
  .map(({ lengths, restMs }) => {
    let atMs = 0;
    const utterances = lengths.map(([gapMs, lengthMs, isTranscribed]) => {
      const startMs = atMs + gapMs;
      atMs = startMs + lengthMs;
      return { startMs, endMs: atMs, isTranscribed };
    });
    return { utterances, receivedMs: Math.max(0, atMs + restMs) };
  });

describe("the audio ledger", () => {
  it("accounts for every received millisecond once", () => {
    fc.assert(
      fc.property(callArbitrary, ({ utterances, receivedMs }) => {
        const ledger = recordingLedger({ receivedMs, utterances, isTranscribed: (index) => utterances[index]?.isTranscribed === true });
        const { speechMs, silenceMs, pausedMs, failedMs } = ledger;
        expect(speechMs + silenceMs + pausedMs + failedMs).toBe(receivedMs);
        expect(Object.values(ledger).every((ms) => Number.isInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });

  it("counts speech that became words as speech and other speech as failed", () => {
    const utterances = [
      { startMs: 100, endMs: 600 },
      { startMs: 1_000, endMs: 1_700 },
      { startMs: 3_000, endMs: 3_050 },
    ];
    expect(recordingLedger({ receivedMs: 5_000, utterances, isTranscribed: (index) => index !== 1 })).toEqual({
      ...{ speechMs: 550, failedMs: 700, silenceMs: 3_750, pausedMs: 0, gapMs: 0 },
    });
  });

  it("is all silence without speech, and nothing without audio", () => {
    expect(recordingLedger({ receivedMs: 2_000, utterances: [], isTranscribed: () => true })).toMatchObject({ silenceMs: 2_000, speechMs: 0 });
    const none = { speechMs: 0, silenceMs: 0, pausedMs: 0, failedMs: 0, gapMs: 0 };
    expect(recordingLedger({ receivedMs: 0, utterances: [{ startMs: 0, endMs: 30 }], isTranscribed: () => true })).toEqual(none);
    expect(sumLedgers([])).toEqual(none);
  });

  it("adds up over the channels part by part", () => {
    const one = { speechMs: 1, silenceMs: 20, pausedMs: 300, failedMs: 4_000, gapMs: 50_000 };
    const other = { speechMs: 2, silenceMs: 30, pausedMs: 400, failedMs: 5_000, gapMs: 60_000 };
    expect(sumLedgers([one, other])).toEqual({ speechMs: 3, silenceMs: 50, pausedMs: 700, failedMs: 9_000, gapMs: 110_000 });
  });
});
