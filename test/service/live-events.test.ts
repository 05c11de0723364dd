/** The events of calls in progress over WebSocket and as server-sent events: numbers, replay, tickets, heartbeats, who sees what. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALL_EVENTS } from "../../src/protocol/call-events.js";
import { openEvents } from "../support/event-stream-client.js";
import { type EventSocket, eventsOf, expectNoGaps, openCallEvents, openEventSocket, refusalOf } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { textsIn } from "../support/spoken-words.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const UNKNOWN_ID = "0190c0de-0000-7000-8000-0000000000ff";
const CALLER = legOf("child-violence-home", 0, 3_000, 20_000);
const PACE = 10;

/** Plain words, which nothing but this call says: made-up ones beside a name would be taken for more of it. */
const WORDS = ["umbrella", "pumpkin", "lantern", "kettle", "hammer", "blanket", "bucket"];
/** A name, masked. */
const NAME = "nyambura";

describe("the events of a live call", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    process.env["SCRIPTED_WORDS"] = [...WORDS, NAME].join(",");
    gateway = await startLiveGateway({ EVENT_HEARTBEAT_MS: "200", EVENT_SLOW_READER_MS: "1000", STREAM_MAX_PACE: "1000" });
    delete process.env["SCRIPTED_WORDS"];
  });
  afterAll(() => gateway.stop());

  /** A call that has had its first audio, so that it can be followed. */
  const begun = async (callId: string): Promise<Awaited<ReturnType<typeof openLeg>>> => {
    const leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER.subarray(0, 1_000 * 8), PACE);
    await gateway.whenActive(callId, "the call is there");
    return leg;
  };
  const endedCall = async (): Promise<string> => {
    const callId = newStreamId();
    using leg = await begun(callId);
    await leg.speak(CALLER.subarray(1_000 * 8), PACE);
    await leg.hangUp();
    await gateway.whenAnalysed(callId);
    return callId;
  };

  describe("that was followed from its start", () => {
    const callId = newStreamId();
    let followed: EventSocket;
    beforeAll(async () => {
      using leg = await begun(callId);
      followed = await openCallEvents(gateway, callId);
      await leg.speak(CALLER.subarray(1_000 * 8), PACE);
      await leg.hangUp();
      await followed.whenClosed();
    });

    it("come over WebSocket without a gap, from its start to the end of its analysis, which closes the socket in order", () => {
      expectNoGaps(followed.events);
      expect(followed.closeCode()).toBe(1_000);
      expect(followed.events[0]).toMatchObject({ type: "call.started", call_id: callId, payload: { source: "live", mode: "both" } });
      expect(followed.events.at(-1)).toMatchObject({ type: "analysis.completed", payload: { is_partial: false } });
      expect(eventsOf(followed.events, "call.ended").map(({ payload }) => payload.reason)).toEqual(["hangup"]);
    });

    it("have the documented payloads, nothing less and nothing more", () => {
      for (const { type, payload, seq } of followed.events) {
        const schema = CALL_EVENTS[type as keyof typeof CALL_EVENTS].payload;
        expect(schema.parse(payload), `event ${seq}, ${type}`).toEqual(payload);
        expect(payload).toHaveProperty("task_id");
      }
    });

    it("are the same as server-sent events", async () => {
      const stream = await openEvents(gateway, `/api/v1/calls/${callId}/live`);
      expect(stream.headers["content-type"]).toMatch(/^text\/event-stream\b/);
      expect(await stream.end()).toEqual(followed.events);
    });

    it.each([0, 1, 5])("are replayed after number %i, over both", async (after) => {
      using socket = await openCallEvents(gateway, callId, { after });
      expect(await socket.whenClosed()).toBe(1_000);
      expect(socket.events).toEqual(followed.events.slice(after));
      const stream = await openEvents(gateway, `/api/v1/calls/${callId}/live?after=${after}`);
      expect(await stream.end()).toEqual(followed.events.slice(after));
      const resumed = await openEvents(gateway, `/api/v1/calls/${callId}/live`, { lastEventId: after });
      expect(await resumed.end()).toEqual(followed.events.slice(after));
    });

    it("end at once for those who have had the last one", async () => {
      using socket = await openCallEvents(gateway, callId, { after: followed.events.length });
      expect(await socket.whenClosed()).toBe(1_000);
      expect(socket.events).toEqual([]);
    });

    it("show speech in progress, then settle it under the same segment", () => {
      const interims = eventsOf(followed.events, "segment.interim");
      const finals = eventsOf(followed.events, "segment.final").filter(({ payload }) => payload.pass === "live");
      expect(interims.length).toBeGreaterThan(0);
      for (const interim of interims) {
        const { segment_id: segmentId, text, stable_length: stableLength } = interim.payload;
        expect(stableLength).toBeLessThanOrEqual(text.length);
        const next = [...interims, ...finals]
          .filter(({ seq }) => seq > interim.seq)
          .sort((a, b) => a.seq - b.seq)
          .map(({ payload }) =>
            "segment" in payload ? { id: payload.segment.id, text: payload.segment.text } : { id: payload.segment_id, text: payload.text },
          )
          .find(({ id }) => id === segmentId);
        // An empty text has taken it back; everything else is followed by something that settles it.
        if (text !== "") expect(next).toBeDefined();
        expect(next?.text.slice(0, stableLength) ?? text.slice(0, stableLength)).toBe(text.slice(0, stableLength));
      }
      for (const final of finals) expect(interims.filter(({ seq, payload }) => payload.segment_id === final.payload.segment.id && seq > final.seq)).toEqual([]);
    });

    it("replace the live segments by those of the recording, after the call has ended", () => {
      const endSeq = eventsOf(followed.events, "call.ended")[0]?.seq ?? 0;
      const finals = eventsOf(followed.events, "segment.final");
      expect(finals.filter(({ payload }) => payload.pass === "recording").length).toBeGreaterThan(0);
      for (const { seq, payload } of finals) expect(payload.pass).toBe(seq > endSeq ? "recording" : "live");
    });

    it("show a service no name, neither over WebSocket nor as server-sent events", async () => {
      expect([...WORDS, NAME].filter((word) => !followed.text().includes(word))).toEqual([]);
      using socket = await openCallEvents(gateway, callId, { role: "service" });
      await socket.whenClosed();
      const stream = await openEvents(gateway, `/api/v1/calls/${callId}/live`, { role: "service" });
      await stream.end();
      expect(socket.seqs()).toEqual(followed.seqs());
      for (const text of [socket.text(), stream.text()]) {
        expect(WORDS.filter((word) => !text.includes(word))).toEqual([]);
        expect([text.includes(NAME), text.includes("[NAME_1]")]).toEqual([false, true]);
        expect(text).not.toContain('"words"');
      }
    });

    it.each(["-1", "x", "1.5"])("are refused after number '%s'", async (after) => {
      expect(await refusalOf(gateway, `/api/v1/calls/${callId}/live?after=${after}`)).toBe("refused with 400");
    });
  });

  it("go on where a socket was dropped in the middle of the call", async () => {
    const callId = newStreamId();
    using leg = await begun(callId);
    using first = await openCallEvents(gateway, callId);
    const speaking = leg.speak(CALLER.subarray(1_000 * 8), PACE);
    await first.whenSeen("some have come", (events) => events.length >= 3);
    first.socket.terminate();
    const got = [...first.events];
    await speaking;
    using second = await openCallEvents(gateway, callId, { after: got.length });
    await leg.hangUp();
    await second.whenClosed();
    expectNoGaps([...got, ...second.events]);
    using whole = await openCallEvents(gateway, callId);
    await whole.whenClosed();
    expect([...got, ...second.events]).toEqual(whole.events);
  });

  it("are not shown of a call there is not", async () => {
    using socket = await openCallEvents(gateway, UNKNOWN_ID);
    expect(await socket.whenClosed()).toBeGreaterThanOrEqual(4_000);
    expect(socket.text()).toBe("");
    expect((await gateway.request("agent", `/api/v1/calls/${UNKNOWN_ID}/live`)).status).toBe(404);
  });

  it("say that they are alive when there is nothing to tell", async () => {
    const callId = newStreamId();
    using leg = await begun(callId);
    using socket = await openCallEvents(gateway, callId);
    const stream = await openEvents(gateway, `/api/v1/calls/${callId}/live`);
    await until("both had heartbeats", () => socket.heartbeats() >= 3 && stream.comments() >= 3);
    const beats = socket
      .text()
      .split("\n")
      .filter((line) => line.includes('"heartbeat"'));
    for (const beat of beats) expect(Object.keys(JSON.parse(beat) as object).sort()).toEqual(["at", "type"]);
    await leg.hangUp();
    await socket.whenClosed();
    expectNoGaps(socket.events);
    expect(await stream.end()).toEqual(socket.events);
  });

  it("cost the call nothing when clients stop reading", async () => {
    const callId = newStreamId();
    using leg = await begun(callId);
    const slow = await Promise.all(Array.from({ length: 40 }, () => openEventSocket(gateway, "/api/v1/live?interim=true")));
    for (const { socket } of slow) socket.pause();
    using reader = await openCallEvents(gateway, callId);
    const startedAtMs = performance.now();
    await leg.speak(CALLER.subarray(1_000 * 8), PACE);
    await leg.hangUp();
    await reader.whenClosed();
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    expectNoGaps(reader.events);
    expect(receivedMs(eventsOf(reader.events, "call.ended")[0]?.payload.audio.ledger as never)).toBe(17_000);
    for (const each of slow) each[Symbol.dispose]();
  });

  describe("with a ticket", () => {
    interface Ticket {
      readonly ticket: string;
      readonly expires_at: string;
    }
    const ticketOf = async (role: "agent" | "service"): Promise<string> => {
      const response = await gateway.request(role, "/api/v1/tickets", { method: "POST" });
      expect(response.status).toBe(201);
      const { ticket, expires_at: expiresAt } = (await response.json()) as Ticket;
      const leftMs = Date.parse(expiresAt) - Date.now();
      expect(leftMs).toBeGreaterThan(25_000);
      expect(leftMs).toBeLessThanOrEqual(30_500);
      return ticket;
    };

    it("are shown to whoever has it, once", async () => {
      const callId = await endedCall();
      const path = `/api/v1/calls/${callId}/live?ticket=${await ticketOf("agent")}`;
      using socket = await openEventSocket(gateway, path, { role: null });
      await socket.whenClosed();
      expectNoGaps(socket.events);
      expect(socket.events.at(-1)?.type).toBe("analysis.completed");
      expect(await refusalOf(gateway, path, { role: null })).toBe("refused with 401");
    });

    it("are shown to it as to the role that asked for it", async () => {
      const callId = await endedCall();
      using socket = await openEventSocket(gateway, `/api/v1/calls/${callId}/live?ticket=${await ticketOf("service")}`, { role: null });
      await socket.whenClosed();
      const texts = textsIn(eventsOf(socket.events, "segment.final").map(({ payload }) => payload.segment));
      expect(texts.length).toBeGreaterThan(0);
      expect(texts.filter((text) => text.includes(NAME))).toEqual([]);
    });

    it("are shown to two that ask at the same time only once", async () => {
      const path = `/api/v1/live?ticket=${await ticketOf("agent")}`;
      const opened = await Promise.allSettled(Array.from({ length: 8 }, () => openEventSocket(gateway, path, { role: null })));
      const sockets = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      for (const socket of sockets) socket[Symbol.dispose]();
      expect(sockets).toHaveLength(1);
    });

    it.each([
      ["a wrong one", "?ticket=0123456789abcdef0123456789abcdef"],
      ["an empty one", "?ticket="],
      ["none", ""],
    ])("are refused to whoever has %s", async (_what, query) => {
      expect(await refusalOf(gateway, `/api/v1/live${query}`, { role: null })).toBe("refused with 401");
    });

    it("are all it opens: it is no credential for anything else", async () => {
      const ticket = await ticketOf("agent");
      expect((await gateway.request(null, `/api/v1/calls?ticket=${ticket}`)).status).toBe(401);
      expect((await gateway.request(null, `/api/v1/tickets?ticket=${ticket}`, { method: "POST" })).status).toBe(401);
    });
  });

  it("of all calls come with those in progress from their start, without speech in progress, and never end", async () => {
    const [earlyId, lateId] = [newStreamId(), newStreamId()];
    using early = await begun(earlyId);
    await early.speak(CALLER.subarray(1_000 * 8, 6_000 * 8), PACE);
    using all = await openEventSocket(gateway, "/api/v1/live");
    using withInterims = await openEventSocket(gateway, "/api/v1/live?interim=true");
    using late = await begun(lateId);
    await Promise.all([early.speak(CALLER.subarray(6_000 * 8), PACE), late.speak(CALLER.subarray(1_000 * 8), PACE)]);
    await Promise.all([early.hangUp(), late.hangUp()]);
    const bothEnded = (socket: EventSocket): boolean => socket.ofType("analysis.completed").length === 2;
    await until("both calls have ended for both", () => bothEnded(all) && bothEnded(withInterims), 30_000);
    for (const callId of [earlyId, lateId]) {
      using own = await openCallEvents(gateway, callId);
      await own.whenClosed();
      expect(withInterims.events.filter(({ call_id }) => call_id === callId)).toEqual(own.events);
      expect(all.events.filter(({ call_id }) => call_id === callId)).toEqual(own.events.filter(({ type }) => type !== "segment.interim"));
    }
    const beats = all.heartbeats();
    await until("they are still alive", () => all.heartbeats() > beats && withInterims.heartbeats() > 0);
    expect([all.closeCode(), withInterims.closeCode()]).toEqual([undefined, undefined]);
  });
});
