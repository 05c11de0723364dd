/** An hour on hold: silence, line noise, keys and music. No word may come of it, and all of it is accounted for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";

const RATE_HZ = 8_000;
const HOUR_MS = 3_600_000;
const STRETCH_MS = 15_000;

type Sound = (seconds: number, index: number) => number;

/** xorshift32, so that every run hears the same noise. */
function noiseOf(amplitude: number): Sound {
  let seed = 0x2545f491;
  return () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed / 0x80000000) * amplitude;
  };
}

const sine = (hz: number, seconds: number): number => Math.sin(2 * Math.PI * hz * seconds);
const SOUNDS: readonly Sound[] = [
  () => 0,
  noiseOf(250),
  // Keys, a tenth of a second each.
  (seconds) => (Math.floor(seconds * 10) % 2 === 0 ? 6_000 * (sine(770, seconds) + sine(1_336, seconds)) : 0),
  // A chord that changes every two seconds, as hold music does.
  (seconds) => [261.6, 329.6, 392].reduce((sum, hz) => sum + 1_500 * sine(hz * (1 + (Math.floor(seconds / 2) % 4) / 8), seconds), 0),
];

function stretch(sound: Sound): Int16Array {
  return Int16Array.from({ length: (STRETCH_MS * RATE_HZ) / 1000 }, (_, index) => Math.round(sound(index / RATE_HZ, index)));
}

describe("an hour on hold", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({ PROCESSING_MODE: "realtime", STREAM_MAX_PACE: "1000" });
  });
  afterAll(() => gateway.stop());

  it("makes no word and loses no millisecond", { timeout: 180_000 }, async () => {
    const callId = newStreamId("0");
    using leg = await openLeg(gateway.port, callId);
    const stretches = SOUNDS.map(stretch);
    for (let sentMs = 0; sentMs < HOUR_MS; sentMs += STRETCH_MS) {
      await leg.speak(stretches[(sentMs / STRETCH_MS) % stretches.length] ?? new Int16Array(), 100);
    }
    await leg.hangUp();
    const analysis = await gateway.whenAnalysed(callId);
    expect(receivedMs(analysis.audio?.ledger ?? { speech_ms: 0, silence_ms: 0, paused_ms: 0, failed_ms: 0, gap_ms: 0 })).toBe(HOUR_MS);
    expect(analysis.transcript?.segments ?? []).toEqual([]);
  });
});
