/** The ledger of a call: every millisecond that was sent is accounted for, while it runs, at its end and ever after. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EventSocket, eventsOf, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway, type WireAudio, type WireLedger } from "../support/live-gateway.js";
import { audioMessages, idMessage, type Leg, openLeg, resampled } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";

const CALLER = legOf("child-violence-home", 0, 3_000, 13_000);
const AGENT = legOf("child-violence-home", 1, 0, 10_000);

const ledgerOf = ({ channels }: WireAudio, channel: string): WireLedger | undefined => channels.find((each) => each.channel === channel)?.ledger;
const LEDGER_PARTS = ["speech_ms", "silence_ms", "paused_ms", "failed_ms", "gap_ms"] as const;

/** The whole is the sum of its channels, part by part, and nothing is below zero. */
function expectToAddUp({ channels, ledger }: WireAudio): void {
  for (const part of LEDGER_PARTS) {
    expect(channels.reduce((sum, each) => sum + each.ledger[part], 0)).toBe(ledger[part]);
    for (const each of channels) expect(each.ledger[part]).toBeGreaterThanOrEqual(0);
  }
}

describe("the ledger of a live call", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({ STREAM_MAX_PACE: "1000", LIVE_CONTINUE_WITHIN_MS: "0" });
  });
  afterAll(() => gateway.stop());

  /** Everything that was told of it, once it is analysed. */
  const told = async (callId: string): Promise<EventSocket> => {
    const events = await openCallEvents(gateway, callId);
    await events.whenClosed();
    return events;
  };
  /** What the call's end, its last measurement and its stored analysis say of a channel: `sentMs` to the millisecond. */
  const expectAccounted = async (callId: string, sentMs: Readonly<Record<string, number>>): Promise<WireAudio> => {
    const analysis = await gateway.whenAnalysed(callId);
    using events = await told(callId);
    const ended = eventsOf(events.events, "call.ended")[0]?.payload.audio;
    const measured = eventsOf(events.events, "call.measured").at(-1)?.payload.audio;
    const accounts = [ended, measured, analysis.audio];
    for (const audio of accounts) {
      if (audio === undefined || audio === null) throw new Error("an account is missing");
      expectToAddUp(audio);
      for (const [channel, milliseconds] of Object.entries(sentMs)) {
        const ledger = ledgerOf(audio, channel);
        expect(Math.abs(receivedMs(ledger as WireLedger) - milliseconds)).toBeLessThan(1);
        expect(ledger?.pending_ms ?? 0).toBe(0);
      }
      expect(audio.ledger.paused_ms).toBe(ended?.ledger.paused_ms);
      expect(audio.ledger.gap_ms).toBe(ended?.ledger.gap_ms);
    }
    return ended as WireAudio;
  };
  const whenReceived = (callId: string, milliseconds: number): Promise<unknown> =>
    gateway.whenActive(callId, `${milliseconds} ms have come`, ({ audio }) => receivedMs(audio.ledger) >= milliseconds);

  it.each([
    ["8 kHz in whole milliseconds", 0x10, 8_000, 48_000, 320],
    ["8 kHz that ends within a millisecond", 0x10, 8_000, 12_345, 320],
    ["8 kHz in messages of three samples", 0x10, 8_000, 24_001, 6],
    ["44.1 kHz in messages of 883 samples", 0x15, 44_100, 154_357, 1_766],
    ["12 kHz in messages of one sample", 0x11, 12_000, 18_007, 2],
    ["48 kHz in the longest messages", 0x16, 48_000, 240_025, 65_534],
  ])("accounts for %s", async (_what, kind, sampleRateHz, sampleCount, frameBytes) => {
    const callId = newStreamId();
    const samples = resampled(CALLER, sampleRateHz).subarray(0, sampleCount);
    using leg = await openLeg(gateway.port);
    await leg.send(Buffer.concat([idMessage(callId), ...audioMessages(samples, { kind, frameBytes })]));
    await leg.hangUp();
    const audio = await expectAccounted(callId, { caller: (sampleCount * 1_000) / sampleRateHz });
    expect(audio.ledger.gap_ms).toBe(0);
  });

  it("accounts for two legs apart, each with its own length", async () => {
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    using agent = await openLeg(gateway.port, `${callId.slice(0, -1)}2`);
    await Promise.all([caller.speak(CALLER.subarray(0, 63_997), 20), agent.speak(AGENT.subarray(0, 40_003), 20)]);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    await expectAccounted(callId, { caller: 63_997 / 8, agent: 40_003 / 8 });
  });

  it("grows with what was sent while the call runs, and never says more", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    let sentMs = 0;
    let lastMs = 0;
    for (let at = 0; at < 8_000; at += 500) {
      sentMs += 500;
      await leg.speak(CALLER.subarray(at * 8, (at + 500) * 8), 10);
      const call = await gateway.whenActive(callId, "the call is there");
      expectToAddUp(call.audio);
      const nowMs = receivedMs(call.audio.ledger);
      expect(nowMs).toBeGreaterThanOrEqual(lastMs);
      expect(nowMs).toBeLessThanOrEqual(sentMs);
      lastMs = nowMs;
    }
    await whenReceived(callId, sentMs);
    const call = await gateway.whenActive(callId, "the speech that is over has its words", ({ audio }) => audio.ledger.pending_ms === 0);
    expect(receivedMs(call.audio.ledger)).toBe(8_000);
    expect(call.audio.ledger.speech_ms).toBeGreaterThan(0);
    expect(call.duration_ms).toBe(8_000);
    await leg.hangUp();
    await expectAccounted(callId, { caller: 8_000 });
  });

  it("counts a gap of more than half a second apart, in the leg where it was, and moves what follows", async () => {
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    using agent = await openLeg(gateway.port, `${callId.slice(0, -1)}2`);
    const speakWithGap = async (leg: Leg): Promise<number> => {
      await leg.speak(CALLER.subarray(0, 2_000 * 8));
      const stoppedAtMs = performance.now();
      await wait(1_500);
      const gapMs = performance.now() - stoppedAtMs;
      await leg.speak(CALLER.subarray(2_000 * 8, 5_000 * 8));
      return gapMs;
    };
    const [gapMs] = await Promise.all([speakWithGap(caller), agent.speak(AGENT.subarray(0, 6_500 * 8))]);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    const audio = await expectAccounted(callId, { caller: 5_000, agent: 6_500 });
    expect(ledgerOf(audio, "agent")?.gap_ms).toBe(0);
    expect(Math.abs((ledgerOf(audio, "caller")?.gap_ms ?? 0) - gapMs)).toBeLessThan(400);
    // Speech that begins 1.4 s into the caller's audio lasts beyond the gap and is heard after it, too.
    const { transcript } = await gateway.whenAnalysed(callId);
    expect(transcript?.segments.some(({ channel, start_ms }) => channel === "caller" && start_ms >= 2_000 + gapMs - 400)).toBe(true);
    expect(Math.abs((await gateway.call(callId)).duration_ms - 6_500)).toBeLessThan(1_000);
  });

  it("counts no gap where nothing came for less than half a second", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER.subarray(0, 1_500 * 8));
    await wait(300);
    await leg.speak(CALLER.subarray(1_500 * 8, 3_000 * 8));
    await leg.hangUp();
    const audio = await expectAccounted(callId, { caller: 3_000 });
    expect(audio.ledger.gap_ms).toBe(0);
  });

  it("counts what came while the call was paused as paused, and hears none of it", async () => {
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    using agent = await openLeg(gateway.port, `${callId.slice(0, -1)}2`);
    const both = (fromMs: number, toMs: number): Promise<unknown> =>
      Promise.all([caller.speak(CALLER.subarray(fromMs * 8, toMs * 8), 4), agent.speak(AGENT.subarray(fromMs * 8, toMs * 8), 4)]);
    await both(0, 1_000);
    await whenReceived(callId, 2_000);
    expect(await gateway.post(`/api/v1/calls/${callId}/pause`)).toEqual({ status: 200, body: { call_id: callId, state: "paused" } });
    await both(1_000, 6_000);
    await whenReceived(callId, 12_000);
    const paused = await gateway.whenActive(callId, "it is paused", ({ state }) => state === "paused");
    expect(paused.audio.ledger.paused_ms).toBe(10_000);
    expect(await gateway.post(`/api/v1/calls/${callId}/resume`)).toEqual({ status: 200, body: { call_id: callId, state: "active" } });
    await both(6_000, 10_000);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    const audio = await expectAccounted(callId, { caller: 10_000, agent: 10_000 });
    expect(audio.channels.map(({ ledger }) => ledger.paused_ms)).toEqual([5_000, 5_000]);
    const { transcript } = await gateway.whenAnalysed(callId);
    // The recognizer may have been given the moments on both sides; not a word lies within.
    const within = transcript?.segments.filter(({ start_ms, end_ms }) => start_ms >= 1_000 && end_ms <= 6_000);
    expect(within).toEqual([]);
  });

  it("has its pauses where they stand in what was received, however fast that came", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER.subarray(0, 2_000 * 8), 0);
    await whenReceived(callId, 2_000);
    await gateway.post(`/api/v1/calls/${callId}/pause`);
    await leg.speak(CALLER.subarray(2_000 * 8, 5_000 * 8), 0);
    await whenReceived(callId, 5_000);
    await gateway.post(`/api/v1/calls/${callId}/resume`);
    await leg.speak(CALLER.subarray(5_000 * 8, 7_000 * 8), 0);
    await leg.hangUp();
    const audio = await expectAccounted(callId, { caller: 7_000 });
    expect(audio.ledger.paused_ms).toBe(3_000);
    using events = await told(callId);
    const marks = [...eventsOf(events.events, "call.paused"), ...eventsOf(events.events, "call.resumed")].map(({ payload }) => payload.at_ms);
    expect(marks).toEqual([2_000, 5_000]);
  });

  it("is told every ten seconds and at the end", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(legOf("child-violence-home", 0, 0, 11_000));
    await leg.hangUp();
    await expectAccounted(callId, { caller: 11_000 });
    using events = await told(callId);
    const measured = eventsOf(events.events, "call.measured");
    expect(measured.length).toBeGreaterThanOrEqual(2);
    const [first] = measured;
    expect(first?.payload.state).toBe("active");
    expectToAddUp(first?.payload.audio as WireAudio);
    expect(Math.abs(receivedMs(first?.payload.audio.ledger as WireLedger) - 10_000)).toBeLessThan(500);
  });
});

describe.each(["realtime", "post_call", "adaptive"])("the ledger of a call in mode %s", (mode) => {
  it("adds up to what was sent, in its end and in its analysis", async () => {
    const gateway = await startLiveGateway({ STREAM_MAX_PACE: "1000", PROCESSING_MODE: mode });
    try {
      const callId = newStreamId();
      using leg = await openLeg(gateway.port, callId);
      await leg.send(...audioMessages(CALLER));
      await leg.hangUp();
      const { audio } = await gateway.whenAnalysed(callId);
      using events = await openCallEvents(gateway, callId);
      await events.whenClosed();
      const ended = eventsOf(events.events, "call.ended")[0]?.payload.audio;
      expect(receivedMs(audio?.ledger as WireLedger)).toBe(10_000);
      expect(receivedMs(ended?.ledger as WireLedger)).toBe(10_000);
      expect(audio?.ledger.speech_ms).toBeGreaterThan(0);
    } finally {
      await gateway.stop();
    }
  });
});
