import { describe, expect, it } from "vitest";
import { LegTimeline } from "../../../src/audio/leg-timeline.js";

const RATE_HZ = 1_000;

const of = (count: number, value: number): Int16Array => new Int16Array(count).fill(value);

/** One channel of interleaved frames. */
const channelOf = (frames: Int16Array, channel: number): number[] => [...frames].filter((_, index) => index % 2 === channel);

describe("the timeline of two legs", () => {
  it("keeps each leg's samples in order on its own channel", () => {
    const timeline = new LegTimeline({ channelCount: 2, sampleRateHz: RATE_HZ });
    timeline.write(0, of(20, 1), 20);
    timeline.write(1, of(20, 7), 20);
    timeline.write(0, of(20, 2), 40);
    timeline.write(1, of(20, 8), 40);
    const frames = timeline.takeRest();
    expect(channelOf(frames, 0)).toEqual([...of(20, 1), ...of(20, 2)]);
    expect(channelOf(frames, 1)).toEqual([...of(20, 7), ...of(20, 8)]);
  });

  it("starts a leg where it arrived", () => {
    const timeline = new LegTimeline({ channelCount: 2, sampleRateHz: RATE_HZ });
    timeline.write(0, of(500, 1), 500);
    timeline.write(1, of(100, 7), 400);
    const frames = timeline.takeRest();
    expect(channelOf(frames, 1)).toEqual([...of(300, 0), ...of(100, 7), ...of(100, 0)]);
  });

  it("takes jitter for jitter and a long pause for a gap", () => {
    const timeline = new LegTimeline({ channelCount: 1, sampleRateHz: RATE_HZ });
    timeline.write(0, of(100, 1), 100);
    timeline.write(0, of(100, 2), 600);
    expect(timeline.gapMs(0)).toBe(0);
    timeline.write(0, of(100, 3), 1_300);
    // 200 ms were received; the third piece arrived from 1,200 on, a second later.
    expect(timeline.gapMs(0)).toBe(1_000);
    expect([...timeline.takeRest()]).toEqual([...of(100, 1), ...of(100, 2), ...of(1_000, 0), ...of(100, 3)]);
  });

  it("hands out only what every open leg has passed", () => {
    const timeline = new LegTimeline({ channelCount: 2, sampleRateHz: RATE_HZ });
    timeline.write(0, of(100, 1), 100);
    timeline.write(1, of(60, 7), 60);
    expect(timeline.takeSettled().length / 2).toBe(60);
    timeline.end(1);
    expect(timeline.takeSettled().length / 2).toBe(40);
    expect(timeline.takeRest()).toHaveLength(0);
  });

  it("does not wait more than five seconds for a leg that sends nothing", () => {
    const timeline = new LegTimeline({ channelCount: 2, sampleRateHz: RATE_HZ });
    timeline.write(1, of(10, 7), 10);
    for (let ms = 100; ms <= 8_000; ms += 100) timeline.write(0, of(100, 1), ms);
    expect(timeline.takeSettled().length / 2).toBe(3_000);
    timeline.write(1, of(10, 9), 2_000);
    const rest = timeline.takeRest();
    // Too late for its place: it goes where the timeline still is open.
    expect(channelOf(rest, 1).slice(0, 10)).toEqual([...of(10, 9)]);
    expect(channelOf(rest, 0)).toEqual([...of(5_000, 1)]);
  });

  it("loses no sample, whenever frames are taken", () => {
    const timeline = new LegTimeline({ channelCount: 2, sampleRateHz: RATE_HZ });
    const taken: number[] = [];
    for (let index = 0; index < 50; index++) {
      timeline.write(0, of(20, index + 1), (index + 1) * 20);
      if (index % 3 === 0) timeline.write(1, of(60, -index - 1), (index + 1) * 20 + 40);
      taken.push(...timeline.takeSettled());
    }
    taken.push(...timeline.takeRest());
    const caller = taken.filter((_, index) => index % 2 === 0);
    expect(caller.filter((sample) => sample > 0)).toHaveLength(1_000);
    expect(caller.filter((sample) => sample > 0)).toEqual([...caller.filter((sample) => sample > 0)].sort((a, b) => a - b));
    expect(taken.filter((sample) => sample < 0)).toHaveLength(17 * 60);
  });
});
