/** What the processing mode decides, and risks: raised while the call runs, with what was said, and acknowledged by a person. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type EventSocket, eventsOf, expectNoGaps, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";

const CALLER = legOf("child-violence-home", 0, 3_000, 23_000);
const PACE = 8;

async function started(settings: Readonly<Record<string, string>>, words: string): Promise<LiveGateway> {
  process.env["SCRIPTED_WORDS"] = words;
  try {
    return await startLiveGateway({ STREAM_MAX_PACE: "1000", ...settings });
  } finally {
    delete process.env["SCRIPTED_WORDS"];
  }
}

/** Plays a call and gives everything that was told of it. */
async function played(gateway: LiveGateway, samples: Int16Array, callId = newStreamId()): Promise<EventSocket> {
  using leg = await openLeg(gateway.port, callId);
  await leg.speak(samples, PACE);
  await leg.hangUp();
  await gateway.whenAnalysed(callId);
  const events = await openCallEvents(gateway, callId);
  await events.whenClosed();
  expectNoGaps(events.events);
  return events;
}

const passes = (socket: EventSocket): readonly string[] => [...new Set(eventsOf(socket.events, "segment.final").map(({ payload }) => payload.pass))];

const CALM = "thank,you,very,much";
const GRAVE = "he,will,kill,me,right,now";

describe("the mode of a live call", () => {
  let gateway: LiveGateway | undefined;
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
  });

  it("told for one call, decides when its words are heard; its sound is kept and accounted for in any case", async () => {
    gateway = await started({ PROCESSING_MODE: "both" }, CALM);
    const expected = { realtime: ["live"], post_call: ["recording"], both: ["live", "recording"] };
    for (const [mode, told] of Object.entries(expected)) {
      const callId = newStreamId();
      await gateway.post("/api/v1/calls/legs", { call_id: callId, legs: [{ stream_id: callId, channel: "caller" }], mode });
      using events = await played(gateway, CALLER, callId);
      expect([mode, passes(events)]).toEqual([mode, told]);
      expect(eventsOf(events.events, "segment.interim").length > 0).toBe(mode !== "post_call");
      expect(eventsOf(events.events, "call.started")[0]?.payload.mode).toBe(mode);
      const analysis = await gateway.whenAnalysed(callId);
      expect(analysis.transcript?.segments.length).toBeGreaterThan(0);
      expect(receivedMs(analysis.audio?.ledger as never)).toBe(20_000);
      expect((await gateway.request("supervisor", `/api/v1/calls/${callId}/audio`)).status).toBe(200);
    }
  });

  it.each([
    ["realtime_only", ["live"]],
    ["postcall_only", ["recording"]],
    ["dual", ["live", "recording"]],
  ])("is taken from the service where none is told, by its older name %s too", async (mode, told) => {
    gateway = await started({ PROCESSING_MODE: mode }, CALM);
    using events = await played(gateway, CALLER.subarray(0, 8_000 * 8));
    expect(passes(events)).toEqual(told);
  });

  it.each([
    ["spares a short calm call a second hearing", CALM, ["live"]],
    ["has a call with a risk in it heard again", GRAVE, ["live", "recording"]],
  ])("when it is adaptive, %s", async (_what, words, told) => {
    gateway = await started({ PROCESSING_MODE: "adaptive" }, words);
    using events = await played(gateway, CALLER);
    expect(eventsOf(events.events, "risk.raised").length > 0).toBe(words === GRAVE);
    expect(passes(events)).toEqual(told);
  });
});

describe("a risk on a live call", () => {
  let gateway: LiveGateway;
  let callId: string;
  let events: EventSocket;
  let kind: string;
  beforeAll(async () => {
    gateway = await started({ PROCESSING_MODE: "realtime" }, GRAVE);
    callId = newStreamId();
    using leg = await openLeg(gateway.port, callId);
    await leg.speak(CALLER.subarray(0, 8_000), PACE);
    await gateway.whenActive(callId, "the call is there");
    events = await openCallEvents(gateway, callId);
    await leg.speak(CALLER.subarray(8_000), PACE);
    await events.whenSeen("a risk was raised while the call runs", () => eventsOf(events.events, "risk.raised").length > 0);
    kind = eventsOf(events.events, "risk.raised")[0]?.payload.finding.kind ?? "";
    const active = await gateway.whenActive(callId, "it is shown with the call");
    expect(active.risk_kinds).toContain(kind);
    const note = { note: "spoken to the police" };
    const path = `/api/v1/calls/${callId}/risks/${kind}/acknowledge`;
    const answer = await gateway.post(path, note);
    expect(answer).toMatchObject({ status: 200, body: { call_id: callId, kind } });
    expect(Date.parse(String(answer.body["acknowledged_at"]))).toBeGreaterThan(0);
    expect(answer.body["acknowledged_by"]).toEqual(expect.any(String));
    await leg.hangUp();
    await gateway.whenAnalysed(callId);
    await events.whenClosed();
  });
  afterAll(async () => {
    events[Symbol.dispose]();
    await gateway.stop();
  });

  it("is raised once of its kind and level, though it is said again and again", () => {
    const raised = eventsOf(events.events, "risk.raised").map(({ payload }) => `${payload.finding.kind} ${payload.finding.level}`);
    expect(raised.length).toBeGreaterThan(0);
    expect(raised).toEqual([...new Set(raised)]);
  });

  it("rests on words that were said in a segment that was told before", () => {
    for (const { seq, payload } of eventsOf(events.events, "risk.raised")) {
      expect(payload.finding.evidence.length).toBeGreaterThan(0);
      for (const { segment_id: segmentId, text } of payload.finding.evidence) {
        const interims = eventsOf(events.events, "segment.interim").filter((event) => event.seq < seq && event.payload.segment_id === segmentId);
        const finals = eventsOf(events.events, "segment.final").filter((event) => event.seq < seq && event.payload.segment.id === segmentId);
        const texts = [...interims.map((event) => event.payload.text), ...finals.map((event) => event.payload.segment.text)];
        expect(texts.some((said) => said.includes(text))).toBe(true);
      }
    }
  });

  it("is acknowledged once, and everybody is told", () => {
    const acknowledged = eventsOf(events.events, "risk.acknowledged");
    expect(acknowledged.map(({ payload }) => payload.kind)).toEqual([kind]);
    expect(events.text()).not.toContain("spoken to the police");
  });

  it("is in the analysis of the call", async () => {
    const { risk } = await gateway.whenAnalysed(callId);
    expect(risk?.map((finding) => finding.kind)).toContain(kind);
  });

  it("that nobody raised can't be acknowledged", async () => {
    const raised = eventsOf(events.events, "risk.raised").map(({ payload }) => payload.finding.kind);
    const other = ["trafficking", "abduction", "drugs"].find((candidate) => !raised.includes(candidate));
    expect((await gateway.post(`/api/v1/calls/${callId}/risks/${other}/acknowledge`, {})).status).toBe(404);
    expect((await gateway.post(`/api/v1/calls/${newStreamId()}/risks/${kind}/acknowledge`, {})).status).toBe(404);
  });
});
