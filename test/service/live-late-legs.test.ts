/** Legs that are announced when both run already, as two calls: they become one, with everything that was said. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";

const CALLER = legOf("child-violence-home", 0, 3_000, 11_000);
const AGENT = legOf("child-violence-home", 1, 0, 6_000);
const EARLY_SAMPLES = 2_000 * 8;

describe("legs announced late", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({ PROCESSING_MODE: "realtime" });
  });
  afterAll(() => gateway.stop());

  it("become one call with all their audio, and the other call was never there", async () => {
    const [one, two] = [newStreamId("a"), newStreamId("b")];
    using caller = await openLeg(gateway.port, one);
    using agent = await openLeg(gateway.port, two);
    await Promise.all([caller.speak(CALLER.subarray(0, EARLY_SAMPLES), 4), agent.speak(AGENT.subarray(0, EARLY_SAMPLES), 4)]);
    for (const streamId of [one, two]) await gateway.whenActive(streamId, "both run", ({ audio }) => receivedMs(audio.ledger) === 2_000);
    const legs = [
      { stream_id: one, channel: "caller" },
      { stream_id: two, channel: "agent" },
    ];
    const { status, body } = await gateway.post("/api/v1/calls/legs", { call_id: "helpline-77", legs });
    expect([status, body["call_id"]]).toEqual([200, one]);
    await Promise.all([caller.speak(CALLER.subarray(EARLY_SAMPLES), 4), agent.speak(AGENT.subarray(EARLY_SAMPLES), 4)]);
    await Promise.all([caller.hangUp(), agent.hangUp()]);
    const analysis = await gateway.whenAnalysed(one);
    expect(analysis.audio?.channels.map(({ channel, ledger }) => [channel, receivedMs(ledger)])).toEqual([
      ["caller", 8_000],
      ["agent", 6_000],
    ]);
    expect(new Set(analysis.transcript?.segments.map(({ channel }) => channel))).toEqual(new Set(["caller", "agent"]));
    expect((await gateway.request("supervisor", `/api/v1/calls/${two}`)).status).toBe(404);
    expect(await gateway.countCalls()).toBe(1);
  });
});
