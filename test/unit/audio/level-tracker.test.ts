import { describe, expect, it } from "vitest";
import { LevelTracker } from "../../../src/audio/live/level-tracker.js";

const tone = (amplitude: number): Int16Array => Int16Array.from({ length: 800 }, (_, index) => Math.round(amplitude * Math.sin(index / 3)));
const peak = (samples: Int16Array): number => Math.max(...samples);

describe("the level of a live channel", () => {
  it("brings quiet speech up to the common level and loud speech down to it", () => {
    for (const amplitude of [300, 3_000, 20_000]) {
      const tracker = new LevelTracker();
      for (let block = 0; block < 20; block++) tracker.push(tone(amplitude));
      // -20 dBFS of a sine is a peak of 0.1 * sqrt(2) of full scale.
      expect(peak(tracker.normalize(tone(amplitude), 20))).toBeGreaterThan(4_300);
      expect(peak(tracker.normalize(tone(amplitude), 20))).toBeLessThan(5_000);
    }
  });

  it("leaves a line without sound as it is, and never clips", () => {
    const silent = new LevelTracker();
    for (let block = 0; block < 20; block++) silent.push(new Int16Array(800));
    expect(silent.normalize(Int16Array.of(5, -5), 20)).toEqual(Int16Array.of(5, -5));
    const quiet = new LevelTracker();
    for (let block = 0; block < 20; block++) quiet.push(tone(200));
    expect(Math.abs(peak(quiet.normalize(Int16Array.of(32_767, -32_768), 20)))).toBeLessThanOrEqual(32_767);
  });

  it("judges a window by what was heard up to its end, however late it is asked", () => {
    const early = new LevelTracker();
    const late = new LevelTracker();
    for (let block = 0; block < 30; block++) for (const tracker of [early, late]) tracker.push(tone(500));
    for (let block = 0; block < 200; block++) late.push(tone(15_000));
    expect(late.normalize(tone(500), 30)).toEqual(early.normalize(tone(500), 30));
    expect(late.normalize(tone(500), 230)).not.toEqual(early.normalize(tone(500), 30));
  });
});
