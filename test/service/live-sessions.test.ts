/** Legs become calls: pairing, announcing, continuing, pausing, ending, and the states on the way. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventsOf, expectNoGaps, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { legBytes, openLeg } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const CALLER = legOf("custody-maintenance", 0, 0, 10_000);
const AGENT = legOf("custody-maintenance", 1, 0, 10_000);
const UNKNOWN_ID = "0190c0de-0000-7000-8000-0000000000ff";
const PACE = 10;

const counterpart = (streamId: string): string => `${streamId.slice(0, -1)}2`;

describe("a live call", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({
      ...{ STREAM_MAX_PACE: "1000", STREAM_IDLE_TIMEOUT_MS: "2000", LIVE_CONTINUE_WITHIN_MS: "3000", LIVE_PAUSE_DIGIT: "#", LIVE_RESUME_DIGIT: "*" },
    });
  });
  afterAll(() => gateway.stop());

  const receivedBy = async (callId: string): Promise<Readonly<Record<string, number>>> => {
    const { audio } = await gateway.whenAnalysed(callId);
    return Object.fromEntries((audio?.channels ?? []).map(({ channel, ledger }) => [channel, receivedMs(ledger)]));
  };
  const reasonOf = async (callId: string): Promise<string | undefined> => {
    using events = await openCallEvents(gateway, callId);
    await events.whenClosed();
    expectNoGaps(events.events);
    return eventsOf(events.events, "call.ended").at(-1)?.payload.reason;
  };

  describe("of two legs", () => {
    it.each([
      ["the caller's first", true],
      ["the counsellor's first", false],
    ])("is one call by the last digit of their ids, %s", async (_what, isCallerFirst) => {
      const callerId = newStreamId("1");
      const ids = isCallerFirst ? [callerId, counterpart(callerId)] : [counterpart(callerId), callerId];
      const sounds = isCallerFirst ? [CALLER, AGENT] : [AGENT, CALLER];
      using first = await openLeg(gateway.port, ids[0]);
      await first.speak((sounds[0] as Int16Array).subarray(0, 800), PACE);
      await gateway.whenActive(ids[0] as string, "the call is named by its first leg");
      using second = await openLeg(gateway.port, ids[1]);
      await Promise.all([first.speak((sounds[0] as Int16Array).subarray(800), PACE), second.speak(sounds[1] as Int16Array, PACE)]);
      const active = await gateway.whenActive(ids[0] as string, "both legs are there", ({ legs }) => legs.length === 2);
      expect([...active.legs].sort((a, b) => a.channel.localeCompare(b.channel))).toEqual([
        { stream_id: counterpart(callerId), channel: "agent" },
        { stream_id: callerId, channel: "caller" },
      ]);
      await Promise.all([first.hangUp(), second.hangUp()]);
      expect(await receivedBy(ids[0] as string)).toEqual({ caller: 10_000, agent: 10_000 });
    });

    it("lasts until both have hung up", async () => {
      const callId = newStreamId("1");
      using caller = await openLeg(gateway.port, callId);
      using agent = await openLeg(gateway.port, counterpart(callId));
      await Promise.all([caller.speak(CALLER.subarray(0, 16_000), PACE), agent.speak(AGENT.subarray(0, 16_000), PACE)]);
      await caller.hangUp();
      await agent.speak(AGENT.subarray(16_000, 48_000), PACE);
      expect((await gateway.whenActive(callId, "it runs")).state).toBe("active");
      await agent.hangUp();
      expect(await receivedBy(callId)).toEqual({ caller: 2_000, agent: 6_000 });
    });

    it("keeps them apart in time: one that begins 300 ms later is heard 300 ms later", async () => {
      const callId = newStreamId("1");
      const sound = legOf("child-violence-home", 0, 4_000, 9_000);
      using caller = await openLeg(gateway.port, callId);
      const speaking = caller.speak(sound);
      await gateway.whenActive(callId, "300 ms of the caller have come", ({ audio }) => receivedMs(audio.ledger) >= 300);
      using agent = await openLeg(gateway.port, counterpart(callId));
      await agent.speak(sound);
      await speaking;
      await Promise.all([caller.hangUp(), agent.hangUp()]);
      await gateway.whenAnalysed(callId);
      using events = await openCallEvents(gateway, callId);
      await events.whenClosed();
      const startOf = (channel: string): number =>
        eventsOf(events.events, "segment.final").find(({ payload }) => payload.segment.channel === channel && payload.pass === "live")?.payload.segment
          .start_ms ?? -1;
      expect(startOf("caller")).toBeGreaterThan(0);
      const skewMs = startOf("agent") - startOf("caller");
      expect(skewMs).toBeGreaterThanOrEqual(250);
      expect(skewMs).toBeLessThanOrEqual(500);
      expect(await receivedBy(callId)).toEqual({ caller: 5_000, agent: 5_000 });
    });
  });

  it.each([
    ["1", "caller"],
    ["2", "agent"],
    ["0", "caller"],
    ["a", "caller"],
  ])("of one leg whose id ends in %s is the %s's", async (digit, channel) => {
    const callId = newStreamId(digit);
    using leg = await openLeg(gateway.port);
    await leg.send(legBytes(callId, CALLER));
    await leg.hangUp();
    const heard = await receivedBy(callId);
    expect(Object.entries(heard).filter(([, milliseconds]) => milliseconds > 0)).toEqual([[channel, 10_000]]);
    expect((await gateway.call(callId)).legs).toEqual([{ stream_id: callId, channel }]);
  });

  describe("that is announced", () => {
    const details = { agent_id: "agent-7", extension: "107", queue: "children", direction: "inbound", external_id: "case-1", mode: "realtime" };

    it("before its audio rings until that comes, and has what was told of it", async () => {
      const [callId, callerId, agentId] = [newStreamId("0"), newStreamId("3"), newStreamId("4")];
      const legs = [
        { stream_id: callerId, channel: "caller" },
        { stream_id: agentId, channel: "agent" },
      ];
      const answer = await gateway.post("/api/v1/calls/legs", { call_id: callId, legs, ...details }, "agent");
      expect(answer).toEqual({ status: 200, body: { call_id: callId, state: "ringing" } });
      expect((await gateway.whenActive(callId, "it rings")).state).toBe("ringing");
      using agent = await openLeg(gateway.port, agentId);
      using caller = await openLeg(gateway.port, callerId);
      await Promise.all([caller.speak(CALLER, PACE), agent.speak(AGENT.subarray(0, 40_000), PACE)]);
      const active = await gateway.whenActive(callId, "it runs with both", ({ state, legs: now }) => state === "active" && now.length === 2);
      expect(active).toMatchObject({ agent_id: "agent-7", mode: "realtime" });
      await Promise.all([caller.hangUp(), agent.hangUp()]);
      expect(await receivedBy(callId)).toEqual({ caller: 10_000, agent: 5_000 });
      const { mode: _mode, ...told } = details;
      expect(await gateway.call(callId)).toMatchObject({ call_id: callId, ...told, mode: "realtime" });
    });

    it("after audio of its first leg takes that leg, and the other when it comes", async () => {
      const [callerId, agentId] = [newStreamId("3"), newStreamId("4")];
      using caller = await openLeg(gateway.port, callerId);
      await caller.speak(CALLER.subarray(0, 24_000), PACE);
      await gateway.whenActive(callerId, "the first leg is a call");
      const legs = [
        { stream_id: callerId, channel: "caller" },
        { stream_id: agentId, channel: "agent" },
      ];
      const answer = await gateway.post("/api/v1/calls/legs", { call_id: callerId, legs, agent_id: "agent-8" }, "service");
      expect(answer).toEqual({ status: 200, body: { call_id: callerId, state: "active" } });
      using agent = await openLeg(gateway.port, agentId);
      await Promise.all([caller.speak(CALLER.subarray(24_000), PACE), agent.speak(AGENT.subarray(0, 40_000), PACE)]);
      await Promise.all([caller.hangUp(), agent.hangUp()]);
      expect(await receivedBy(callerId)).toEqual({ caller: 10_000, agent: 5_000 });
      expect(await gateway.call(callerId)).toMatchObject({ agent_id: "agent-8" });
    });

    it.each([
      ["without legs", { call_id: "a", legs: [] }],
      ["with an id that is no id", { call_id: "../x", legs: [{ stream_id: "a", channel: "caller" }] }],
      ["with a channel there is not", { call_id: "a", legs: [{ stream_id: "a", channel: "left" }] }],
      ["with a mode there is not", { call_id: "a", legs: [{ stream_id: "a", channel: "caller" }], mode: "fast" }],
    ])("%s is refused", async (_what, body) => {
      expect((await gateway.post("/api/v1/calls/legs", body)).status).toBe(400);
    });
  });

  it("goes on, with a gap, when its id comes again soon after its end", async () => {
    const callId = newStreamId();
    using first = await openLeg(gateway.port, callId);
    await first.speak(CALLER.subarray(0, 2_000 * 8));
    await first.hangUp();
    const gapFromMs = performance.now();
    await gateway.whenAnalysed(callId);
    await until("more than half a second has gone", () => performance.now() - gapFromMs > 1_200);
    using second = await openLeg(gateway.port, callId);
    const gapMs = performance.now() - gapFromMs;
    await second.speak(CALLER.subarray(2_000 * 8, 5_000 * 8));
    expect((await gateway.json<{ status: string }>("agent", `/api/v1/calls/${callId}/analysis`)).status).toBe("processing");
    await second.hangUp();
    const { audio } = await gateway.whenAnalysed(callId);
    await until("there is nothing left of it that runs", async () => (await gateway.activeCall(callId)) === undefined);
    expect(receivedMs(audio?.ledger as never)).toBe(5_000);
    expect(Math.abs((audio?.ledger.gap_ms ?? 0) - gapMs)).toBeLessThan(200);
    expect(Math.abs((await gateway.call(callId)).duration_ms - 5_000 - gapMs)).toBeLessThan(250);
  });

  it("is a new call when its id comes again later", async () => {
    const callId = newStreamId();
    const before = await gateway.countCalls();
    using first = await openLeg(gateway.port);
    await first.send(legBytes(callId, CALLER.subarray(0, 2_000 * 8)));
    await first.hangUp();
    await gateway.whenAnalysed(callId);
    const endedAtMs = performance.now();
    await until("the time to continue it is over", () => performance.now() - endedAtMs > 3_500);
    using second = await openLeg(gateway.port);
    await second.send(legBytes(callId, CALLER.subarray(0, 3_000 * 8)));
    await second.hangUp();
    type Listed = { readonly call_id: string; readonly duration_ms: number | null; readonly legs: readonly { readonly stream_id: string }[] };
    let ofStream: readonly Listed[] = [];
    await until("there are two, and both have ended", async () => {
      const { items } = await gateway.json<{ items: readonly Listed[] }>("supervisor", "/api/v1/calls");
      ofStream = items.filter(({ legs, duration_ms }) => duration_ms !== null && legs.some(({ stream_id: streamId }) => streamId === callId));
      return ofStream.length === 2;
    });
    expect(await gateway.countCalls()).toBe(before + 2);
    expect(await receivedBy(callId)).toMatchObject({ caller: 2_000 });
    expect(ofStream.map(({ duration_ms: milliseconds }) => milliseconds).sort()).toEqual([2_000, 3_000]);
    expect(new Set(ofStream.map(({ call_id: id }) => id)).size).toBe(2);
  });

  it("is ended by whoever asks, and its connections with it", async () => {
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    using agent = await openLeg(gateway.port, counterpart(callId));
    await Promise.all([caller.speak(CALLER.subarray(0, 24_000), PACE), agent.speak(AGENT.subarray(0, 24_000), PACE)]);
    await gateway.whenActive(callId, "all has come", ({ audio }) => receivedMs(audio.ledger) === 6_000);
    const answer = await gateway.post(`/api/v1/calls/${callId}/end`, undefined, "agent");
    expect(answer.status).toBe(200);
    expect(["ending", "ended"]).toContain(answer.body["state"]);
    await Promise.all([caller.closed(), agent.closed()]);
    expect(await receivedBy(callId)).toEqual({ caller: 3_000, agent: 3_000 });
    expect(await reasonOf(callId)).toBe("requested");
  });

  it("is paused and resumed by the keys of the counsellor's telephone, not by those of the caller's", async () => {
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    using agent = await openLeg(gateway.port, counterpart(callId));
    const both = async (fromMs: number, toMs: number): Promise<void> => {
      await Promise.all([caller.speak(CALLER.subarray(fromMs * 8, toMs * 8), PACE), agent.speak(AGENT.subarray(fromMs * 8, toMs * 8), PACE)]);
      await gateway.whenActive(callId, "it has come", ({ audio }) => receivedMs(audio.ledger) === toMs * 2);
    };
    await both(0, 1_000);
    await caller.press("#");
    await both(1_000, 2_000);
    expect((await gateway.whenActive(callId, "it runs")).state).toBe("active");
    await agent.press("#");
    await gateway.whenActive(callId, "it is paused", ({ state }) => state === "paused");
    await both(2_000, 5_000);
    await caller.press("*");
    await agent.press("*");
    await gateway.whenActive(callId, "it runs again", ({ state }) => state === "active");
    await both(5_000, 8_000);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    const { audio } = await gateway.whenAnalysed(callId);
    expect(audio?.channels.map(({ ledger }) => [receivedMs(ledger), ledger.paused_ms])).toEqual([
      [8_000, 3_000],
      [8_000, 3_000],
    ]);
  });

  it.each(["end", "pause", "resume"])("that is over, or never was, can't be told to %s", async (action) => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port);
    await leg.send(legBytes(callId, CALLER.subarray(0, 16_000)));
    await leg.hangUp();
    await gateway.whenAnalysed(callId);
    const over = await gateway.post(`/api/v1/calls/${callId}/${action}`);
    expect([over.status, over.body["code"]]).toEqual([409, "CALL_NOT_LIVE"]);
    expect([404, 409]).toContain((await gateway.post(`/api/v1/calls/${UNKNOWN_ID}/${action}`)).status);
  });

  it("is over when nothing comes for the idle time", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER.subarray(0, 3_000 * 8), PACE);
    await leg.closed();
    expect(await receivedBy(callId)).toMatchObject({ caller: 3_000 });
    expect(await reasonOf(callId)).toBe("idle");
    expect(await gateway.closedBecause("idle")).toBeGreaterThan(0);
  });

  it("is counted among those that run while it runs", async () => {
    const callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER, PACE);
    await gateway.whenActive(callId, "all has come", ({ audio }) => receivedMs(audio.ledger) === 10_000);
    expect(await gateway.json("supervisor", "/api/v1/calls/stats")).toMatchObject({ active_calls: 1, streams: 1, received_ms: 10_000 });
    await leg.hangUp();
    await gateway.whenAnalysed(callId);
    expect(await gateway.json("supervisor", "/api/v1/calls/stats")).toMatchObject({ active_calls: 0, streams: 0 });
  });
});
