import { describe, expect, it } from "vitest";
import { measureConversation } from "../../../src/analysis/conversation-metrics.js";
import type { Channel } from "../../../src/core/transcript.js";

type Span = readonly [startMs: number, endMs: number];
const speech = (channel: Channel, ...spans: readonly Span[]) => ({ channel, utterances: spans.map(([startMs, endMs]) => ({ startMs, endMs })) });

describe("measureConversation", () => {
  it("adds up how long each channel speaks", () => {
    const channels = [speech("caller", [0, 1_000], [2_000, 2_500]), speech("agent", [1_000, 2_000])];
    expect(measureConversation(channels, 3_000).talkMs).toEqual({ caller: 1_500, agent: 1_000 });
    expect(measureConversation([speech("mixed")], 3_000).talkMs).toEqual({ mixed: 0 });
  });

  it("takes speech that begins 300 ms or more before the other ends for an interruption, and less for turn-taking", () => {
    const caller = speech("caller", [0, 1_000]);
    expect(measureConversation([caller, speech("agent", [700, 2_000])], 2_000).interruptions).toBe(1);
    expect(measureConversation([caller, speech("agent", [701, 2_000])], 2_000).interruptions).toBe(0);
    expect(measureConversation([caller, speech("agent", [1_000, 2_000])], 2_000).interruptions).toBe(0);
  });

  it("counts the interruptions of both sides, each once", () => {
    const caller = speech("caller", [0, 2_000], [5_000, 6_000]);
    const agent = speech("agent", [500, 800], [1_000, 1_200], [4_000, 5_500]);
    // The agent cuts in at 500 and at 1000, the caller at 5000.
    expect(measureConversation([caller, agent], 6_000).interruptions).toBe(3);
    expect(measureConversation([agent, caller], 6_000).interruptions).toBe(3);
  });

  it("can't tell interruptions and overlaps on one channel", () => {
    const { overlaps, overlapMs, interruptions, interruptionsBy, responseDelayMs } = measureConversation([speech("mixed", [0, 500], [400, 900])], 1_000);
    expect({ overlaps, overlapMs, interruptions }).toEqual({ overlaps: null, overlapMs: null, interruptions: null });
    expect({ interruptionsBy, responseDelayMs }).toEqual({ interruptionsBy: {}, responseDelayMs: {} });
  });

  it("says by whom the other was interrupted", () => {
    const caller = speech("caller", [0, 2_000], [5_000, 6_000]);
    const agent = speech("agent", [500, 800], [1_000, 1_200], [4_000, 5_500]);
    expect(measureConversation([caller, agent], 6_000).interruptionsBy).toEqual({ caller: 1, agent: 2 });
  });

  it("adds up the time in which both speak, stretch by stretch", () => {
    const channels = [speech("caller", [0, 2_000], [5_000, 6_000]), speech("agent", [500, 800], [1_900, 2_500], [6_000, 7_000])];
    expect(measureConversation(channels, 7_000)).toMatchObject({ overlaps: 2, overlapMs: 400 });
  });

  it("adds up the time in which nobody speaks", () => {
    const channels = [speech("caller", [1_000, 2_000], [6_000, 6_500]), speech("agent", [2_500, 3_000])];
    expect(measureConversation(channels, 7_000).silenceMs).toBe(5_000);
  });

  it("takes the median time until each answers the other, and no pause within one's own speech for an answer", () => {
    // The agent answers after 200, 1000 and 400; the caller after 700 and 900.
    const caller = speech("caller", [0, 1_000], [2_700, 3_000], [5_000, 6_000]);
    const agent = speech("agent", [1_200, 2_000], [4_000, 4_100], [6_400, 7_000]);
    expect(measureConversation([caller, agent], 7_000).responseDelayMs).toEqual({ agent: 400, caller: 800 });
  });

  it("gives no time to answer where nobody answered, or where they spoke into the other's speech", () => {
    const channels = [speech("caller", [0, 1_000]), speech("agent", [500, 2_000])];
    expect(measureConversation(channels, 2_000).responseDelayMs).toEqual({ caller: null, agent: null });
  });

  it("finds no interruption when nobody cuts in", () => {
    expect(measureConversation([speech("caller", [0, 500]), speech("agent", [600, 900])], 1_000).interruptions).toBe(0);
  });

  it("finds the longest time in which nobody speaks, at the start and the end as well", () => {
    const channels = [speech("caller", [1_000, 2_000], [6_000, 6_500]), speech("agent", [2_500, 3_000])];
    // 1000 before, 500, then 3000 from 3000 to 6000, then 500 to the end.
    expect(measureConversation(channels, 7_000).longestSilenceMs).toBe(3_000);
    expect(measureConversation(channels, 10_000).longestSilenceMs).toBe(3_500);
    expect(measureConversation([speech("caller", [4_000, 5_000])], 5_000).longestSilenceMs).toBe(4_000);
  });

  it("takes no silence of one for silence while the other speaks on", () => {
    const channels = [speech("caller", [0, 10_000]), speech("agent", [1_000, 2_000])];
    expect(measureConversation(channels, 10_500).longestSilenceMs).toBe(500);
  });

  it("takes a call without speech for one long silence", () => {
    expect(measureConversation([speech("caller"), speech("agent")], 8_000)).toEqual({
      talkMs: { caller: 0, agent: 0 },
      silenceMs: 8_000,
      longestSilenceMs: 8_000,
      overlaps: 0,
      overlapMs: 0,
      interruptions: 0,
      interruptionsBy: { caller: 0, agent: 0 },
      responseDelayMs: { caller: null, agent: null },
    });
  });
});
