/** Large, small, record only: down under pressure, up when there is room, and not to and fro. */
import { describe, expect, it } from "vitest";
import { RecognitionLadder } from "../../../src/analysis/live/recognition-ladder.js";

const SECOND = 1_000;

/** Level after each second of these lags; three engines and record only unless told. */
function levelsOf(lagsMs: readonly number[], highest = 3): readonly number[] {
  const ladder = new RecognitionLadder();
  return lagsMs.map((lagMs, second) => ladder.observe(lagMs, second * SECOND, highest));
}
const for_ = (seconds: number, lagMs: number): readonly number[] => Array.from({ length: seconds }, () => lagMs);

describe("the ladder of recognizers", () => {
  it("stays with the chosen engine while speech is heard in time", () => {
    expect(new Set(levelsOf(for_(600, 2_000)))).toEqual(new Set([0]));
    expect(new Set(levelsOf(for_(600, 7_900)))).toEqual(new Set([0]));
  });

  it("goes a step down at a time, and gives each step time to help", () => {
    const levels = levelsOf(for_(20, 9_000));
    expect(levels[0]).toBe(1);
    expect(levels[5]).toBe(1);
    expect(levels[6]).toBe(2);
    // The last step wants more than that.
    expect(levels.at(-1)).toBe(2);
  });

  it("records only when even the smallest engine is a minute late", () => {
    expect(levelsOf([...for_(12, 9_000), ...for_(10, 61_000)]).at(-1)).toBe(3);
    expect(levelsOf(for_(10, 59_000), 1).at(-1)).toBe(0);
    expect(levelsOf(for_(10, 61_000), 1).at(-1)).toBe(1);
  });

  it("goes up again, a step a minute, once everything is heard in time", () => {
    const levels = levelsOf([...for_(12, 9_000), ...for_(200, 500)]);
    expect(levels[12 + 59]).toBe(2);
    expect(levels[12 + 61]).toBe(1);
    expect(levels[12 + 125]).toBe(0);
  });

  it("does not go up while it is now and then late", () => {
    const lags = Array.from({ length: 300 }, (_, second) => (second % 40 === 0 ? 3_000 : 500));
    expect(levelsOf([...for_(12, 9_000), ...lags]).at(-1)).toBe(2);
  });

  it("is within the ladder there is when an engine is gone", () => {
    const ladder = new RecognitionLadder();
    ladder.observe(9_000, 0, 3);
    ladder.observe(9_000, 7_000, 3);
    expect(ladder.observe(0, 8_000, 1)).toBe(1);
  });
});
