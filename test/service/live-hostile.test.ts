/** What is no telephone exchange, or a broken one: it is closed with a counted reason, and the call beside it hears nothing of it. */
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { message } from "../support/audiosocket-client.js";
import { eventsOf, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { audioMessages, idMessage, type Leg, legBytes, openLeg } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const CALLER = legOf("child-violence-home", 0, 0, 40_000);
const CONNECTIONS = "helpline_telephony_connections";
const CLOSED = "helpline_telephony_connections_closed_total";
const MAX_CONNECTIONS = 40;

/** Bytes that look random, are the same at every run, and begin neither as AudioSocket nor as a line. */
const noise = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7_919 + (index >> 3) * 104_729 + 0x91) % 256));

describe("the telephony port, beside a call that runs", () => {
  let gateway: LiveGateway;
  let call: Leg;
  const callId = newStreamId();
  let isOver = false;
  let spokenFrames = 0;
  let speaking: Promise<void>;

  beforeAll(async () => {
    gateway = await startLiveGateway({
      ...{ STREAM_IDLE_TIMEOUT_MS: "1500", STREAM_MAX_CONNECTIONS: String(MAX_CONNECTIONS), STREAM_ALLOWED_PEERS: "127.0.0.1,127.0.0.64/26" },
    });
    call = await openLeg(gateway.port, callId);
    const frames = audioMessages(CALLER);
    const startedAtMs = performance.now();
    const speak = async (): Promise<void> => {
      for (; !isOver; spokenFrames++) {
        await call.send(frames[spokenFrames % frames.length] as Buffer);
        const aheadMs = (spokenFrames + 1) * 20 - (performance.now() - startedAtMs);
        if (aheadMs > 0) await wait(aheadMs);
      }
    };
    speaking = speak();
    await gateway.whenActive(callId, "the call runs");
  });
  afterAll(async () => {
    isOver = true;
    await speaking;
    call[Symbol.dispose]();
    await gateway.stop();
  });

  const expectCounted = async (reason: string, before: number, more = 1): Promise<void> => {
    await until(`${more} more are counted as ${reason}`, async () => (await gateway.closedBecause(reason)) >= before + more, 8_000, 25);
    expect(await gateway.closedBecause(reason)).toBe(before + more);
  };
  const onlyTheCallIsLeft = (): Promise<void> => until("only the call is left", async () => (await gateway.metric(CONNECTIONS)) === 1, 8_000, 25);

  it.each([
    ["noise", noise],
    ["a TLS greeting", Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), randomBytes(512)])],
    ["zeros", Buffer.alloc(4_096, 0x05)],
    ["a letter", Buffer.from("Dear exchange,\r\nplease let me in.\r\n")],
    ["a line without end", Buffer.alloc(65_536, "a")],
    ["SIP", Buffer.from("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n")],
    ["audio without an id", message(0x10, Buffer.alloc(320))],
    ["an id of no byte", message(0x01, Buffer.alloc(0))],
    ["an id of four bytes", message(0x01, Buffer.alloc(4))],
    ["an id of seventeen bytes", message(0x01, Buffer.alloc(17))],
    ["an id of 65,535 bytes", message(0x01, Buffer.alloc(65_535))],
  ])("closes what sends %s, and counts it", async (_what, bytes) => {
    const before = [await gateway.closedBecause("protocol"), await gateway.countCalls()] as const;
    using leg = await openLeg(gateway.port);
    await leg.send(bytes);
    await leg.closed();
    await expectCounted("protocol", before[0]);
    await onlyTheCallIsLeft();
    expect(await gateway.countCalls()).toBe(before[1]);
  });

  it("closes what has said nothing to the point for ten seconds, drip by drip", async () => {
    const before = await gateway.closedBecause("silent_start");
    using leg = await openLeg(gateway.port);
    const startedAtMs = performance.now();
    for (let sent = 0; sent < 150 && !leg.isClosed(); sent++) {
      await leg.send(Buffer.from("a"));
      await wait(100);
    }
    expect(leg.isClosed()).toBe(true);
    expect(performance.now() - startedAtMs).toBeLessThan(12_000);
    await expectCounted("silent_start", before);
  });

  it("closes what says nothing at all, and what stays silent after its id, and keeps no call of either", async () => {
    const before = [await gateway.metricSum(CLOSED), await gateway.countCalls()] as const;
    using silent = await openLeg(gateway.port);
    using named = await openLeg(gateway.port, newStreamId());
    await Promise.all([silent.closed(), named.closed()]);
    await until("both are counted", async () => (await gateway.metricSum(CLOSED)) === before[0] + 2);
    expect((await gateway.closedBecause("idle")) + (await gateway.closedBecause("silent_start"))).toBeGreaterThanOrEqual(2);
    expect(await gateway.countCalls()).toBe(before[1]);
  });

  it("ends a call whose exchange vanished without a word, and keeps its audio", async () => {
    const otherId = newStreamId();
    using leg = await openLeg(gateway.port, otherId);
    leg.socket.pause();
    await leg.speak(CALLER.subarray(32_000, 64_000), 8);
    const { audio } = await gateway.whenAnalysed(otherId);
    expect(receivedMs(audio?.ledger as never)).toBe(4_000);
  });

  it("ends a call whose connection was torn in the middle of a message, and keeps its audio", async () => {
    const before = await gateway.metricSum(CLOSED);
    const otherId = newStreamId();
    using leg = await openLeg(gateway.port);
    await leg.send(legBytes(otherId, CALLER.subarray(32_000, 64_000)), message(0x10, Buffer.alloc(320)).subarray(0, 50));
    await gateway.whenActive(otherId, "it has come", ({ audio }) => receivedMs(audio.ledger) >= 4_000);
    leg.socket.resetAndDestroy();
    const { audio } = await gateway.whenAnalysed(otherId);
    expect(receivedMs(audio?.ledger as never)).toBeGreaterThanOrEqual(4_000);
    expect(await gateway.metricSum(CLOSED)).toBe(before + 1);
  });

  it("closes what sends audio far faster than a call, as a flood", async () => {
    const before = await gateway.closedBecause("flood");
    using leg = await openLeg(gateway.port, newStreamId());
    const hourOfSilence = Buffer.concat(Array.from({ length: 200 }, () => message(0x10, Buffer.alloc(64_000))));
    for (let sent = 0; sent < 10 && !leg.isClosed(); sent++) await Promise.race([leg.send(hourOfSilence), leg.closed()]);
    await leg.closed();
    await expectCounted("flood", before);
  });

  it("is not filled by those who come with an id and go, again and again", async () => {
    const before = await gateway.countCalls();
    for (let round = 0; round < 20; round++) {
      const legs = await Promise.all(Array.from({ length: 15 }, () => openLeg(gateway.port, newStreamId())));
      await Promise.all(legs.map((leg) => leg.hangUp()));
    }
    await onlyTheCallIsLeft();
    // Each lingers a little for another leg.
    const active = async () => (await gateway.json<{ items: readonly object[] }>("agent", "/api/v1/calls/active")).items.length;
    await until("only the call is active", async () => (await active()) === 1);
    expect(await gateway.countCalls()).toBe(before);
  });

  it("keeps to the first id of a connection, however many come after it", async () => {
    const [firstId, before] = [newStreamId(), await gateway.countCalls()];
    using leg = await openLeg(gateway.port);
    const ids = Array.from({ length: 2_000 }, () => idMessage(newStreamId()));
    await leg.send(legBytes(firstId, CALLER.subarray(32_000, 48_000)), Buffer.concat(ids), ...audioMessages(CALLER.subarray(48_000, 64_000)));
    await leg.hangUp();
    expect([2_000, 4_000]).toContain(receivedMs((await gateway.whenAnalysed(firstId)).audio?.ledger as never));
    expect(await gateway.countCalls()).toBe(before + 1);
  });

  it("takes as many connections as it may, refuses the rest, and takes others once those have gone", async () => {
    const before = await gateway.closedBecause("full");
    const legs = await Promise.all(Array.from({ length: MAX_CONNECTIONS + 20 }, () => openLeg(gateway.port, newStreamId())));
    await expectCounted("full", before, 21);
    expect(await gateway.metric(CONNECTIONS)).toBe(MAX_CONNECTIONS);
    for (const leg of legs) leg[Symbol.dispose]();
    await onlyTheCallIsLeft();
    const otherId = newStreamId();
    using leg = await openLeg(gateway.port);
    await leg.send(legBytes(otherId, CALLER.subarray(32_000, 64_000)));
    await leg.hangUp();
    expect(receivedMs((await gateway.whenAnalysed(otherId)).audio?.ledger as never)).toBe(4_000);
  });

  it("hears those of the networks that are allowed, and nobody else", async () => {
    const before = await gateway.closedBecause("peer");
    for (const outside of ["127.0.0.2", "127.0.0.63", "127.0.0.128"]) {
      using leg = await openLeg(gateway.port, newStreamId(), outside);
      await leg.closed();
    }
    await expectCounted("peer", before, 3);
    for (const inside of ["127.0.0.64", "127.0.0.127"]) {
      const otherId = newStreamId();
      using leg = await openLeg(gateway.port, undefined, inside);
      await leg.send(legBytes(otherId, CALLER.subarray(32_000, 48_000)));
      await leg.hangUp();
      expect(receivedMs((await gateway.whenAnalysed(otherId)).audio?.ledger as never)).toBe(2_000);
    }
  });

  it("has harmed the call that ran in no way", async () => {
    expect((await gateway.whenActive(callId, "it runs")).state).toBe("active");
    isOver = true;
    await speaking;
    await call.hangUp();
    const { audio } = await gateway.whenAnalysed(callId);
    expect(receivedMs(audio?.ledger as never)).toBe(spokenFrames * 20);
    expect(audio?.ledger.gap_ms).toBe(0);
    using events = await openCallEvents(gateway, callId);
    await events.whenClosed();
    const finals = eventsOf(events.events, "segment.final").filter(({ payload }) => payload.pass === "live");
    expect(finals.length).toBeGreaterThan(2);
    for (const { payload } of eventsOf(events.events, "call.measured")) expect(payload.lag_ms).toBeLessThan(3_000);
    expect(eventsOf(events.events, "call.ended")[0]?.payload.reason).toBe("hangup");
  });
});
